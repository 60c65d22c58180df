"""`init`: find exports, say who is who, write persona.toml."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.command import JsonOption, next_step
from trainer.commands.options import ProgressOption
from trainer.console import print_json, print_table, safe_text, say

if TYPE_CHECKING:
    from trainer.init.answers import ChosenPerson
    from trainer.init.exports import ExportLocation
    from trainer.init.first_run import Outcome
    from trainer.init.writers import Writer

WRITERS = 20  # shown; the others can be named all the same


def init(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Where exports are. Default: what ~/Downloads and this folder hold.")
    ] = None,
    me: Annotated[str | None, typer.Option(help="Who you are, as the exports show it; A+B if both are you.")] = None,
    name: Annotated[str | None, typer.Option(help="What the persona is called. Default: the first of --me.")] = None,
    consent: Annotated[
        list[str] | None, typer.Option(help="Somebody who agreed to be imitated; again for each, 'nobody' for none.")
    ] = None,
    dms: Annotated[bool | None, typer.Option("--dms/--no-dms", help="Read private messages too.")] = None,
    base: Annotated[str | None, typer.Option(help="scratch, a folder, a GGUF file, a Hub id, or auto.")] = None,
    to: Annotated[Path, typer.Option("--to", "--config", help="The settings file to write.")] = Path("persona.toml"),
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask: nobody else, and the base that suits here.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace settings that are there.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Change settings that are there, and keep what else they say.")
    ] = False,
    only_look: Annotated[
        bool, typer.Option("--look", help="Say which exports are there and who writes, and write nothing.")
    ] = False,
    only_bases: Annotated[
        bool,
        typer.Option(
            "--bases", help="List base models with languages, licence and how they train here; write nothing."
        ),
    ] = False,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Find exports, say who is who, and write persona.toml. Example: python -m trainer init ~/exports --me "Mara Voss" --yes"""
    import sys

    from trainer.init.answers import Flags
    from trainer.init.exports import usual_folders
    from trainer.init.first_run import Environment, first_run, look
    from trainer.init.local_models import local_models
    from trainer.init.machine import revision_of, this_machine
    from trainer.progress import Bars

    if only_bases:
        _show_bases(as_json)
        return
    bars = Bars(quiet=as_json, for_programs=as_json and progress)
    if only_look:
        _show_overview(*look(folders or (), usual_folders(), bars), as_json)
        return
    flags = Flags(me, name, None if consent is None else tuple(consent), dms, base, yes)
    home = Path.home()
    around = Environment(usual_folders(), this_machine, lambda: local_models(home), revision_of, home)
    asks = sys.stdin and sys.stdin.isatty() and not as_json  # a process may be started without any stdin
    terminal = Prompts() if asks else None
    show = show_exports if terminal else lambda *_: None
    outcome = first_run(folders or (), to, flags, around, terminal, show, bars, force=force, keep=keep)
    if outcome:
        _show_outcome(outcome, as_json)
    else:
        typer.echo(f"{to} stays as it is", err=True)


class Prompts:
    """Asks on the terminal: where stdout is for results, on stderr, else in a line that can be edited."""

    def ask(self, question: str, default: str) -> str:
        """Return the answer, or the default if only Enter is pressed."""
        import os
        import sys

        if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":  # where a long line can't be edited
            return str(typer.prompt(question, default=default or None, err=True))
        return self._edited(f"{question} [{default}]: " if default else f"{question}: ", default)

    def _edited(self, shown: str, default: str) -> str:
        import readline  # noqa: F401  # from now on input() has its keys, and writes the question itself to know where it ends

        answer = ""
        try:
            while not answer:
                answer = input(shown).strip() or default
        except (EOFError, KeyboardInterrupt):
            typer.echo(err=True)
            raise typer.Abort from None
        return answer

    def confirm(self, question: str) -> bool:
        """Ask for yes or no; no if only Enter is pressed."""
        return typer.confirm(f"{question}?", err=True)

    def say(self, sentence: str) -> None:
        """Print a line between the questions."""
        typer.echo(sentence, err=True)


def _show_overview(exports: Sequence["ExportLocation"], writers: Sequence["Writer"], as_json: bool) -> None:
    from trainer.init.look import overview

    if as_json:
        print_json(overview(exports, writers))
    else:
        show_exports(exports, writers, err=False)


def _show_bases(as_json: bool) -> None:
    """Print the base models that are known, and how each trains on this machine."""
    from dataclasses import asdict

    from trainer.init.machine import base_rows, this_machine

    rows = base_rows(this_machine())
    if as_json:
        print_json([asdict(base) | {"trains": training} for base, training in rows])
        return
    head = ("base", "billions", "trains", "licence", "languages")
    print_table(
        head,
        (
            (
                base.model,
                f"{base.billions:8.2f}",
                training,
                base.licence + ("*" if base.gated else ""),
                base.languages,
            )
            for base, training in rows
        ),
    )
    say("* the Hub asks you to agree to the licence first, and for your token: hf auth login")


def show_exports(exports: Sequence["ExportLocation"], writers: Sequence["Writer"], *, err: bool = True) -> None:
    """Print a line an export, a row a person."""
    for export in exports:
        say(f"{export.path}: {', '.join(export.formats)}", err=err)
    columns = 2 if any(writer.private for writer in writers) else 1
    rows = (_row(number, writer, columns) for number, writer in enumerate(writers[:WRITERS], 1))
    print_table(("", "who", *("messages", "private")[:columns], "also"), rows, err=err)
    if len(writers) > WRITERS:
        say(f"and {len(writers) - WRITERS} others; their names will do too", err=err)


def _row(number: int, writer: "Writer", columns: int) -> tuple[str, ...]:
    also = "the account of an export" if writer.account else ", ".join(writer.calls[1:])
    counts = [f"{count:>8,}" for count in (writer.messages, writer.private)[:columns]]
    return f"{number:>2}", writer.name, *counts, also


def _show_outcome(outcome: "Outcome", as_json: bool) -> None:
    """Print the settings, and what comes next."""
    settings, me = outcome.settings, outcome.me
    following = next_step("python -m trainer import", settings.path)
    if as_json:
        print_json(_plain(outcome) | {"next": following.removeprefix("next: ")})
        return
    friends = ", ".join(map(_with_joined, outcome.friends)) or "nobody else"
    base = settings.base.model + (f" at {settings.base.revision[:12]}" if settings.base.model != "scratch" else "")
    count = me.public + (me.private if settings.data.dms else 0)
    for line in (
        f"wrote {settings.path}",
        f"persona: {_with_joined(me)}, {count:,} messages; imitated too: {friends}",
        f"base: {base} ({outcome.base.why})",
        following,
    ):
        say(safe_text(line))


def _with_joined(person: "ChosenPerson") -> str:
    """Return a name with those of the other people that a + took for the same one."""
    joined = [writer.name for writer in person.writers[1:] if writer.name != person.name and not writer.account]
    return f"{person.name} (taken for one with {', '.join(joined)})" if joined else person.name


def _plain(outcome: "Outcome") -> dict[str, Any]:
    settings = outcome.settings
    return {
        "settings": settings.path,
        "persona": settings.persona.name,
        "aliases": list(settings.persona.aliases),
        "people": list(settings.people),
        "sources": list(settings.data.sources),
        "formats": sorted({name for export in outcome.locations for name in export.formats}),
        "dms": settings.data.dms,
        "base": {"model": settings.base.model, "revision": settings.base.revision, "why": outcome.base.why},
        "writers": [
            {"name": writer.name, "messages": writer.messages, "private": writer.private} for writer in outcome.writers
        ],
    }
