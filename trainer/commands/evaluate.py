"""`evaluate`: how alike the current adapter is, and what it leaks."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, print_table, say, say_next, warn

if TYPE_CHECKING:
    from persona.config import Settings
    from trainer.corpus.store import Corpus
    from trainer.evaluate.figures import FigureSpec
    from trainer.evaluate.rival.contest import Contest, RivalReplies
    from trainer.progress import Bars

Plain = Sequence[float] | None  # value, low, high

EVALUATION_SECONDS = 240.0  # about; what can be asked as often as one likes is asked as often as fits


def evaluate(
    canaries: Annotated[
        bool,
        typer.Option("--canaries", help="Train a throw-away adapter with planted secrets, and try to get them out."),
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="URL",
            help="Put the same held-out messages to a large model, with 30 of the person's own in its prompt: any "
            "OpenAI-compatible server. Asks before words leave this machine. The key is RIVAL_API_KEY.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(envvar="RIVAL_MODEL", help="With --against: which model; the server's only one by default.")
    ] = "",
    limit: Annotated[
        int, typer.Option(min=0, help="With --against: ask about so many messages, evenly spaced; 0 is all.")
    ] = 0,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --against: words may leave this machine; don't ask.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Measure how alike the current adapter is and what it leaks. Example: python -m trainer evaluate"""
    from persona.bundle import current
    from persona.config import load
    from trainer.corpus.store import load as load_corpus
    from trainer.evaluate.evaluation import Scope, opened
    from trainer.evaluate.evaluation import evaluate as evaluated
    from trainer.evaluate.report.files import write_report
    from trainer.evaluate.report.plain_figures import plain_figures
    from trainer.game.playing import tally_of
    from trainer.progress import Bars

    settings = load(config)
    corpus, bundle = load_corpus(settings), current(settings.adapters)
    contest = _contest(settings, corpus, against, model, limit, yes) if against is not None else None
    with Bars(quiet=as_json) as bars:
        rival = _ask(contest, bars) if contest else None
        voice = opened(settings, bundle, bars)
        measured = evaluated(settings, corpus, bundle, voice, Scope(EVALUATION_SECONDS), bars, rival)
        leaks: list[dict[str, Any]] = []
        if canaries:
            from trainer.evaluate.canaries import audit

            leaks = [leak.plain for leak in audit(settings, corpus, bundle.seal, bars)]
        tally = tally_of(bundle)
        games = tally.sentence if tally else ""
        report = write_report(
            settings, corpus, bundle, measured, bundle.reports, tally=games, leaks=leaks, votes=_votes(settings)
        )
    figures = plain_figures(measured) | {"canaries": leaks}
    if as_json:
        print_json({"report": report, **figures})
    else:
        show_evaluation(report, figures)
        say_next("python -m trainer game", config)


def _votes(settings: "Settings") -> Mapping[str, Any]:
    """Return what was thought of its answers; none, with a sentence, if the bot's store can't be read."""
    from persona.errors import UserError
    from trainer.refine.judged_replies import ask_bot
    from trainer.refine.voted_replies import voted_replies

    try:
        return voted_replies(settings.adapters, ask_bot(settings))
    except UserError as fault:
        warn([str(fault)])
        return {}


def _contest(settings: "Settings", corpus: "Corpus", url: str, model: str, limit: int, yes: bool) -> "Contest":
    """Return what a rival is to be asked, once whoever runs this agreed to what leaves the machine for it."""
    from persona.credentials import secret
    from persona.errors import SettingsError
    from trainer.evaluate.rival.chat_client import chat_server
    from trainer.evaluate.rival.contest import open_contest

    server = chat_server(url, secret("RIVAL_API_KEY", settings) or "")
    contest = open_contest(settings, corpus, server, model, limit)
    say(contest.disclosure, err=True)
    if contest.left and not server.is_local and not yes:
        if not sys.stdin or not sys.stdin.isatty():
            raise SettingsError("nobody is there to agree to that, so nothing was sent; --yes agrees")
        if not typer.confirm("Send them?", default=False, err=True):
            raise SettingsError("nothing was sent, nothing was measured; without --against nothing leaves this machine")
    return contest


def _ask(contest: "Contest", bars: "Bars") -> "RivalReplies":
    from trainer.evaluate.rival.contest import ask

    return ask(contest, bars)


def show_evaluation(report: Path, figures: Mapping[str, Any]) -> None:
    """Print the verdict, a row a figure with a column a voice, then what leaks."""
    say(figures["verdict"])
    warn(figures["warnings"])
    if figures["rows"]:
        print_table(("figure", *figures["rows"]), _text_rows(figures["rows"]))
        say(_directions())
    if figures.get("replies"):
        print_table(("of a reply", *figures["replies"]), _reply_rows(figures["replies"]))
        rival = figures["rival"]
        say(f"the rival is {rival['model']} at {rival['host']}: {rival['answered']} of {rival['asked']} answered\n")
    if figures["figures"]:
        print_table(("of the adapter", "good is", "measured"), _model_rows(figures["figures"]))
    for leak in figures["canaries"]:
        say(
            f"a secret said {leak['said']}: exposure {leak['exposure']:.1f} bits, extracted {leak['extracted']} of "
            f"{leak['canaries']}, past the guard {leak['guarded']}; in a thousand texts {leak['replies']:.0f}, past the "
            f"guard {leak['guarded_replies']:.0f}"
        )
    say(f"report: {report}")


def _text_rows(voices: Mapping[str, Mapping[str, Plain]]) -> Iterator[tuple[str, ...]]:
    from trainer.evaluate.figures import TEXT_FIGURES

    for key, spec in TEXT_FIGURES.items():
        yield spec.title, *(_with_interval(spec, row[key]) for row in voices.values())


def _reply_rows(voices: Mapping[str, Mapping[str, Plain]]) -> Iterator[tuple[str, ...]]:
    from trainer.evaluate.figures import REPLY_FIGURES

    for key, spec in REPLY_FIGURES.items():
        yield spec.title, *(_with_interval(spec, row[key]) for row in voices.values())


def _directions() -> str:
    """Return which way is good, below the table: beside it there is no room on a narrow terminal."""
    from trainer.evaluate.figures import TEXT_FIGURES

    return f"good is: {'; '.join(f'{spec.title}: {spec.good}' for spec in TEXT_FIGURES.values())}\n"


def _model_rows(figures: Mapping[str, Plain]) -> Iterator[tuple[str, ...]]:
    from trainer.evaluate.figures import MODEL_FIGURES

    for key, spec in MODEL_FIGURES.items():
        if key in figures:
            yield spec.title, spec.good, _with_interval(spec, figures[key])


def _with_interval(spec: "FigureSpec", figure: Plain) -> str:
    return "-" if figure is None else spec.with_interval(figure)
