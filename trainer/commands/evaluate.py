"""`evaluate`: how alike the current adapter is, and what it leaks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, print_table, say, warn

if TYPE_CHECKING:
    from trainer.evaluate.figures import FigureSpec

Plain = Sequence[float] | None  # value, low, high

EVALUATION_SECONDS = 240.0  # about; what can be asked as often as one likes is asked as often as fits


def evaluate(
    canaries: Annotated[
        bool,
        typer.Option("--canaries", help="Train a throw-away adapter with planted secrets, and try to get them out."),
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Measure how alike the current adapter is and what it leaks. Example: python -m trainer evaluate"""
    from persona.bundle import current
    from persona.config import load
    from trainer.corpus.store import load as load_corpus
    from trainer.evaluate.evaluation import Scope
    from trainer.evaluate.evaluation import evaluate as evaluated
    from trainer.evaluate.report.files import write_report
    from trainer.evaluate.report.plain_figures import plain_figures
    from trainer.game.playing import tally_of
    from trainer.progress import Bars

    settings = load(config)
    corpus, bundle = load_corpus(settings), current(settings.adapters)
    with Bars(quiet=as_json) as bars:
        measured = evaluated(settings, corpus, bundle, Scope(EVALUATION_SECONDS), bars)
        leaks: list[dict[str, Any]] = []
        if canaries:
            from trainer.evaluate.canaries import audit

            leaks = [leak.plain for leak in audit(settings, corpus, bundle.seal, bars)]
        tally = tally_of(bundle)
        games = tally.sentence if tally else ""
        report = write_report(settings, corpus, bundle, measured, bundle.reports, tally=games, leaks=leaks)
    figures = plain_figures(measured) | {"canaries": leaks}
    if as_json:
        print_json({"report": report, **figures})
    else:
        show_evaluation(report, figures)


def show_evaluation(report: Path, figures: Mapping[str, Any]) -> None:
    """Print the verdict, a row a figure with a column a voice, then what leaks."""
    say(figures["verdict"])
    warn(figures["warnings"])
    if figures["rows"]:
        print_table(("figure", *figures["rows"]), _text_rows(figures["rows"]))
        say(_directions())
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
    return "-" if figure is None else f"{spec.text(figure[0])} ±{spec.text((figure[2] - figure[1]) / 2)}"
