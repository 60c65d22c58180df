"""`train`: an adapter of the corpus, measured, sealed and made current; or only what it would take."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.command import ConfigOption, JsonOption
from trainer.commands.options import ProgressOption
from trainer.console import print_json, print_table, say, say_next, warn

if TYPE_CHECKING:
    from persona.bundle import Bundle
    from persona.config import Settings
    from trainer.corpus.store import Corpus

MAY_COST = 0.02  # of the bits: what leaning towards the person's own words costs on a grown base (docs/likeness.md)
FORCE = "'python -m trainer train --force'"


def train(
    if_changed: Annotated[
        bool, typer.Option("--if-changed", help="Only if corpus or settings changed since the newest adapter.")
    ] = False,
    only_plan: Annotated[
        bool, typer.Option("--plan", help="Print parameters, memory, steps and time, and train nothing.")
    ] = False,
    forced: Annotated[
        bool,
        typer.Option("--force", help="Let it speak even if it is gibberish, or worse than the one that speaks now."),
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Train an adapter on the corpus and make it current. Example: python -m trainer train --plan"""
    from persona.bundle import is_current
    from persona.config import load
    from trainer.base.reachability import require_base
    from trainer.bundle.config_hash import trained_bundle
    from trainer.corpus.store import load as load_corpus

    settings = load(config)
    require_base(settings)  # before anything heavy is loaded for nothing
    corpus = load_corpus(settings)
    trained = trained_bundle(settings, corpus) if if_changed or forced else None
    if trained and (if_changed or not is_current(trained)):
        _show_unchanged(settings, trained, forced, as_json)
    elif only_plan:
        _plan(settings, corpus, as_json)
    else:
        _train(settings, corpus, forced, as_json, progress)


def _show_unchanged(settings: "Settings", trained: "Bundle", forced: bool, as_json: bool) -> None:
    """Say that nothing is new to train on. forced: what was held back speaks from now on."""
    from persona.bundle import is_current, point_current

    if forced and not is_current(trained):
        point_current(trained)
    if as_json:
        print_json({"bundle": trained.folder, "metrics": None, "current": is_current(trained)})
    elif is_current(trained):
        say(f"unchanged: nothing new to train on; {trained.folder} is current")
        say_next("python -m bot chat", settings.path)
    else:
        say(f"unchanged: nothing new to train on; {trained.folder} is held back: {FORCE} lets it speak")


def _plan(settings: "Settings", corpus: "Corpus", as_json: bool) -> None:
    """Print what a training would take."""
    from dataclasses import asdict

    from trainer.adapter.plan import plan, rows_of
    from trainer.progress import Bars

    with Bars(quiet=as_json) as bars:
        planned = plan(settings, corpus, bars)
    if as_json:
        print_json(asdict(planned))
    else:
        print_table((), rows_of(planned))
        say_next("python -m trainer train", settings.path)


def _train(settings: "Settings", corpus: "Corpus", forced: bool, as_json: bool, progress: bool) -> None:
    from persona.bundle import SCRATCH
    from trainer.bundle.training import train as train_bundle
    from trainer.loop.distributed import is_first
    from trainer.progress import Bars

    with Bars(quiet=as_json or not is_first(), for_programs=as_json and progress and is_first()) as bars:
        try:
            result = train_bundle(settings, corpus, bars, forced=forced)
        except KeyboardInterrupt:
            if not as_json:  # who reads JSON typed no command: the studio has a button
                bars.say(
                    "stopped; the same command goes on from the last checkpoint, if corpus and settings stay as they are"
                )
            raise
    if result is None:
        return
    folder, metrics = result.bundle.folder, {k: v for k, v in result.metrics.items() if k != "loss_history"}
    if as_json:
        print_json({"bundle": folder, "current": result.is_current, "metrics": metrics})
    else:
        _show(folder, metrics, speaks=result.is_current, is_grown=settings.base.model == SCRATCH)
        if result.is_current:  # else the line before names the way on; nothing speaks with what is held back
            say_next("python -m bot chat", settings.path)


def _show(folder: Path, metrics: Mapping[str, Any], *, speaks: bool, is_grown: bool) -> None:
    """Print the lines at the end of a training. speaks: whether the bundle became current. is_grown: whether the base was
    grown from the same messages."""
    if metrics["bits_per_character"] is None:
        warn(["nothing was held out, so there are no figures: import more messages"])
    else:
        per_second = metrics["tokens_per_second"]  # none of a training that was taken up at its last step
        rate = f", {per_second:,.0f} tokens/s" if per_second else ""
        say(
            f"held-out messages: {metrics['bits_per_character_base']:.3f} -> {metrics['bits_per_character']:.3f} "
            "bits per character, "
            f"perplexity {metrics['perplexity_base']:.1f} -> {metrics['perplexity']:.1f}; "
            f"{metrics['minutes']:.1f} minutes{rate}"
        )
        if metrics["bits_per_character"] > (1 + MAY_COST) * metrics["bits_per_character_base"]:
            mend = "fewer [base] minutes leave more to learn" if is_grown else "try a lower [train] learning_rate"
            warn([f"that is worse than before the training, for fewer bits are better: {mend}"])
    say(metrics["likeness"]["verdict"])
    warn([*metrics["likeness"]["warnings"], *metrics["gate"]["reasons"], *metrics["gate"]["notes"]])
    what = "now current" if speaks else f"but held back: {FORCE} lets it speak all the same"
    say(f"sealed {folder}, {what}")
    say(f"report: {folder / 'private' / 'report.html'}")
