"""What report.html shows: one self-contained page that people enjoy reading. No requests, no scripts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from persona.bundle import Bundle
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.figures import MODEL_FIGURES, REPLY_FIGURES, TEXT_FIGURES, Row, TextFigure
from trainer.evaluate.generation import GeneratedReply, texts_of
from trainer.evaluate.intervals import Figure
from trainer.evaluate.reply_context import context_key, evenly_spaced
from trainer.evaluate.report.extremes import extremes
from trainer.evaluate.report.plain_figures import ORDER
from trainer.evaluate.shape import LENGTHS, length_bin
from trainer.evaluate.verdict import verdict
from trainer.pages import charts
from trainer.pages.render import render

SAMPLES = 10
NAMES = {
    "tuned": "the imitation",
    "rival": "the rival",
    "human": "you",
    "another human": "another person",
    "markov": "Markov chain",
    "base": "base, no adapter",
}
COLOURS = {NAMES["tuned"]: charts.IMITATION, NAMES["human"]: charts.PERSON}  # on the whole page


def page(
    name: str,
    bundle: Bundle,
    corpus: Corpus,
    evaluation: Evaluation,
    game: str = "",
    canaries: Sequence[Mapping[str, Any]] = (),
    votes: Mapping[str, Any] | None = None,
) -> str:
    """Return the whole page. game: what came of the Turing game, if it was played. canaries: of the canary audit. votes:
    on its answers, as trainer.refine.voted_replies has them."""
    sentence = verdict(evaluation)
    return render(
        "report.html.j2",
        name=name,
        verdict=sentence[:1].upper() + sentence[1:],
        legend=charts.legend(COLOURS.items()),
        warnings=[*evaluation.warnings, *_gate(bundle.seal.metrics.get("gate"))],
        likeness=list(_likeness(evaluation)),
        pairs=_pairs(evaluation),
        rival=evaluation.rival,
        voices=[NAMES[voice] for voice in ORDER if voice in evaluation.reply_rows],
        against=list(_against(evaluation.reply_rows)),
        extremes=extremes([reply.context.text for reply in evaluation.replies], texts_of(evaluation.replies)),
        charts=[*_lengths(evaluation.replies), *_hours(corpus, bundle.seal.speaker)],
        game=game,
        leaks=_listed(evaluation.figures, leak=True),
        canaries=canaries,
        votes=votes,
        model=_listed(evaluation.figures, leak=False),
        losses=_losses(bundle.seal.metrics.get("loss_history", [])),
        corpus=_make_up(corpus, bundle),
    )


def _gate(gate: Mapping[str, Any] | None) -> Iterator[str]:
    if gate:
        start = "Forced, although" if gate["forced"] else "Held back:"
        yield from (f"{start} {reason}" for reason in gate["reasons"])
        yield from gate["notes"]


def _likeness(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Yield a chart for each figure of texts that is known of the imitation."""
    for key, spec in TEXT_FIGURES.items():
        voices = [voice for voice in ORDER if voice in evaluation.rows]
        rows = {NAMES[voice]: figure for voice in voices if (figure := evaluation.rows[voice][key])}
        if NAMES["tuned"] in rows:
            title = spec.title[:1].upper() + spec.title[1:]
            yield {"title": title, "means": spec.means, "good": spec.good, "chart": _chart(title, spec, rows)}


def _chart(title: str, spec: TextFigure, rows: Mapping[str, Figure]) -> Markup:
    you = rows.get(NAMES["human"])
    intervals = {
        name: charts.Interval(figure.value, figure.low, figure.high, spec.text(figure.value))
        for name, figure in rows.items()
    }
    return charts.interval_bars(title, intervals, COLOURS, spec.low, spec.high, {"you": you.value} if you else {})


def _pairs(evaluation: Evaluation) -> list[dict[str, Sequence[str]]]:
    """Return what was said and imitated, side by side; where there is a rival, only what it answered too."""
    answers = evaluation.rival.replies if evaluation.rival else ()
    rival = {context_key(timed.reply.context): timed.reply.lines for timed in answers}
    usable = [
        reply for reply in evaluation.replies if reply.lines and (not rival or rival.get(context_key(reply.context)))
    ]
    return [
        {
            "before": reply.context.before[-1].lines if reply.context.before else ("…",),
            "real": reply.context.real.lines,
            "imitated": reply.lines,
            "rival": rival.get(context_key(reply.context), ()),
        }
        for reply in evenly_spaced(usable, SAMPLES)
    ]


def _against(rows: Mapping[str, Row]) -> Iterator[dict[str, Any]]:
    """Yield a row of cells for each figure of replies, a cell a voice."""
    voices = [voice for voice in ORDER if voice in rows]
    for key, spec in REPLY_FIGURES.items() if voices else ():
        figures = [rows[voice][key] for voice in voices]
        cells = [spec.with_interval(figure.plain) if figure else "–" for figure in figures]
        yield {"title": spec.title, "means": f"{spec.means}; good is {spec.good}", "cells": cells}


def _lengths(replies: Sequence[GeneratedReply]) -> Iterator[tuple[str, str, Markup]]:
    if not replies:
        return
    labels = [str(most) if most < 4 else f"≤{most}" for most in LENGTHS] + [f">{LENGTHS[-1]}"]
    texts = {NAMES["tuned"]: texts_of(replies), NAMES["human"]: [reply.context.text for reply in replies]}
    bins = {name: Counter(map(length_bin, said)) for name, said in texts.items()}
    series = {COLOURS[name]: [counts[number] for number in range(len(labels))] for name, counts in bins.items()}
    title = "How long you write"
    yield title, "words a message", charts.grouped_bars(title, labels, series) + charts.legend(COLOURS.items())


def _hours(corpus: Corpus, speaker: str) -> Iterator[tuple[str, str, Markup]]:
    hours = Counter(
        datetime.fromtimestamp(at, UTC).hour
        for record in corpus.conversations
        for turn, at in zip(record.conversation.turns, record.timestamps, strict=True)
        if turn.speaker == speaker and at is not None
    )
    if hours:
        labels = [f"{hour:02}" for hour in range(24)]
        series = {charts.PERSON: [hours[hour] for hour in range(24)]}
        title = "When you write"
        yield title, "your messages by hour (UTC)", charts.grouped_bars(title, labels, series)


def _listed(figures: Mapping[str, Figure | None], *, leak: bool) -> list[dict[str, str]]:
    """Return the figures of the model that are no charts."""
    return [
        {
            "value": spec.text(figure.value),
            "low": spec.text(figure.low),
            "high": spec.text(figure.high),
            "good": spec.good,
            "means": f"{spec.title}: {spec.means}",
        }
        for key, spec in MODEL_FIGURES.items()
        if spec.leak == leak and (figure := figures.get(key))
    ]


def _losses(history: Sequence[Mapping[str, float]]) -> Markup | str:
    series = {
        "training loss, nats a token": [(entry["step"], entry["loss"]) for entry in history if "loss" in entry],
        "held out, bits a character": [
            (entry["step"], entry["eval_bits_per_character"]) for entry in history if "eval_bits_per_character" in entry
        ],
    }
    drawn = {name: points for name, points in series.items() if len(points) > 1}
    return charts.curves("How the loss fell", drawn, "steps") if drawn else ""


def _make_up(corpus: Corpus, bundle: Bundle) -> dict[str, str]:
    """Return what the corpus holds."""
    train, first, second = (
        corpus.messages(bundle.seal.speaker, (split,)) for split in (TRAIN, CALIBRATION_SPLIT, TEST_SPLIT)
    )
    learned = bundle.seal.data.get("messages", train)
    newest = f", of which it learned from the newest {learned:,}" * (0 < learned < train)
    scenes = Counter(record.conversation.scene for record in corpus.conversations)
    speakers = {turn.speaker for record in corpus.conversations for turn in record.conversation.turns}
    return {
        "your messages": f"{train:,} to train on{newest}, {first:,} and {second:,} for the judges",
        "conversations": ", ".join(f"{count:,} {scene}" for scene, count in scenes.most_common()),
        "people": f"{len(speakers):,}",
        "base": bundle.seal.base.model,
    }
