"""`refine`: the current adapter learns from votes and corrections; a candidate that must pass the gate."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.command import ConfigOption, JsonOption
from trainer.commands.options import ProgressOption
from trainer.console import print_json, print_table, say, warn

if TYPE_CHECKING:
    from persona.config import Settings
    from trainer.refine.judged_replies import FeedbackLine, JudgedReply
    from trainer.refine.refining import RefinementPlan


def refine(
    feedback: Annotated[
        Path | None, typer.Option("--feedback", help="What 'bot feedback' printed, instead of asking the bot here.")
    ] = None,
    if_enough: Annotated[
        bool, typer.Option("--if-enough", help="Do nothing if there is too little, or nothing new, to learn from.")
    ] = False,
    only_plan: Annotated[
        bool, typer.Option("--plan", help="Print what it would learn from and the time, and refine nothing.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Learn from 👍, 👎 and /notme what to say and what not. Example: python -m trainer refine --plan"""
    from persona.config import load
    from persona.errors import UserError
    from trainer.refine.judged_replies import ask_bot, judged_replies, read_file
    from trainer.refine.refining import judged_before, news

    settings = load(config)
    lines = read_file(feedback) if feedback else ask_bot(settings)
    replies = judged_replies(settings, lines)
    try:
        replies = news(settings, replies)
    except UserError as too_little:
        if not if_enough or too_little.exit_code != 1:
            raise
        _unchanged(str(too_little), as_json)
        return
    if if_enough and (before := judged_before(settings, replies)):
        _unchanged(f"nothing new to learn from since {before.folder}, which is held back", as_json)
    elif only_plan:
        _plan(settings, replies, as_json)
    else:
        _refine(settings, replies, lines, as_json, progress)


def _unchanged(sentence: str, as_json: bool) -> None:
    if as_json:
        print_json({"bundle": None, "current": False, "metrics": None, "reason": sentence})
    else:
        say(f"unchanged: {sentence}")


def _plan(settings: "Settings", replies: "list[JudgedReply]", as_json: bool) -> None:
    from dataclasses import asdict

    from trainer.refine.refining import plan

    planned = plan(settings, replies)
    if as_json:
        print_json(asdict(planned))
    else:
        print_table((), _plan_rows(planned))


def _plan_rows(planned: "RefinementPlan") -> list[tuple[str, str]]:
    return [
        ("from", f"version {planned.version}, {planned.trainable / 1e6:,.2f}M weights that learn"),
        ("answers", f"{planned.liked:,} liked, {planned.refused:,} refused, {planned.corrections:,} corrections"),
        ("held out", f"{planned.held_out:,} to judge by; {planned.left_out:,} longer than the context"),
        ("steps", f"{planned.steps:,}, {planned.tokens:,} tokens"),
        ("time", f"about {planned.minutes:.1f} minutes, and the comparison with the one that speaks now"),
    ]


def _refine(
    settings: "Settings",
    replies: "list[JudgedReply]",
    lines: "list[FeedbackLine]",
    as_json: bool,
    progress: bool,
) -> None:
    from trainer.corpus.store import load as load_corpus
    from trainer.progress import Bars
    from trainer.refine.refining import refine as refined
    from trainer.refine.voted_replies import voted_replies

    corpus, votes = load_corpus(settings), voted_replies(settings.adapters, lines)
    with Bars(quiet=as_json, for_programs=as_json and progress) as bars:
        outcome = refined(settings, corpus, replies, bars, votes)
    folder, metrics = outcome.bundle.folder, outcome.metrics
    if as_json:
        kept = {name: metrics[name] for name in ("refined", "gate")}
        print_json({"bundle": folder, "current": outcome.is_current, "metrics": kept})
    else:
        _show(folder, metrics, outcome.bundle.version, speaks=outcome.is_current)


def _show(folder: Path, metrics: Mapping[str, Any], version: str, *, speaks: bool) -> None:
    """Print the lines at the end. speaks: whether the candidate became current."""
    refined, gate = metrics["refined"], metrics["gate"]
    if refined["preference"]:
        say(
            f"held-out votes: it prefers what was liked in {refined['preference'][0]:.0%} of pairs, 50% before "
            f"(p = {refined['chance']:.4f})"
        )
    before, after = refined["bits_per_character"]
    if before and after:
        say(f"held-out messages: {before[0]:.3f} -> {after[0]:.3f} bits per character")
    warn([*gate["reasons"], *gate["notes"]])
    undone = "'python -m trainer rollback' takes that back"
    forced = f"'python -m trainer rollback {version}' lets it speak all the same"
    say(f"sealed {folder}, " + (f"now current; {undone}" if speaks else f"but held back: {forced}"))
    say(f"report: {folder / 'private' / 'report.html'}")
