"""`game`: real or imitation? Played in the terminal, exported as a page, and tallied."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json

if TYPE_CHECKING:
    from trainer.game.rounds import Tally


def game(
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Write the game as a page to send to friends (or, .json, for programs), instead of playing.",
        ),
    ] = None,
    results: Annotated[
        str | None, typer.Option("--tally", help="Count the results in this text, or in - for stdin.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same game.")] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Real or imitation? Ten held-out prompts, two answers each. Example: python -m trainer game --export game.html"""
    import secrets

    from persona.bundle import current
    from persona.config import load
    from trainer.corpus.store import load as load_corpus
    from trainer.game import playing
    from trainer.game.rounds import result

    settings = load(config)
    bundle = current(settings.adapters)
    if results is not None:
        _show(playing.count(bundle, sys.stdin.read() if results == "-" else results), as_json)
        return
    name, rounds = playing.new_game(settings, load_corpus(settings), bundle, seed)
    if export is None:
        digits = playing.play(rounds, ask_player, typer.echo)
        _show(playing.count(bundle, result(name, f"{secrets.randbits(32):08x}", digits)), as_json)
        return
    playing.export(settings, name, rounds, export)
    if as_json:
        print_json({"page": export, "rounds": len(rounds)})
    else:
        typer.echo(f"wrote {export}")


def ask_player(question: str) -> str:
    """Return what is typed. Ctrl-D leaves as Ctrl-C does. Raises EOFError if there is no terminal to type at."""
    try:
        return input(question)
    except EOFError:
        if sys.stdin.isatty():
            raise typer.Abort from None
        raise


def _show(tally: "Tally", as_json: bool) -> None:
    if as_json:
        print_json(tally.plain)
    else:
        typer.echo(tally.sentence)
