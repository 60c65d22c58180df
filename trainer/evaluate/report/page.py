"""report.html: one self-contained page that people enjoy reading. No requests, no scripts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from persona.bundle import Bundle
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Evaluation, texts_of
from trainer.evaluate.generation import GeneratedReply
from trainer.evaluate.intervals import Figure
from trainer.evaluate.reply_context import spread
from trainer.evaluate.report import charts
from trainer.evaluate.report.extremes import extremes
from trainer.evaluate.report.figures import ORDER, verdict
from trainer.evaluate.report.style import STYLE
from trainer.evaluate.shape import LENGTHS, length_bin

SAMPLES = 10
FOOT = (
    "<footer>Made by alterego. Bars end at the figure, the thin line is its 95% interval. This page holds people's words: "
    "keep it to yourself.</footer>"
)
NAMES = {
    "tuned": "the imitation",
    "human": "you",
    "another human": "another person",
    "markov": "Markov chain",
    "base": "base, no adapter",
}
FIGURES = {
    "voice_ratio": ("Voice ratio", "how often judges take it for you; 0 is chance, 1 is you", 0.0, 1.3),
    "voice_ratio_masked": ("… with names hidden", "the same, capitalised words masked", 0.0, 1.3),
    "voice_ratio_message": ("… a message alone", "the same, one message at a time", 0.0, 1.3),
    "two_sample": ("Told from you", "how often a classifier is right; .5 is chance", 0.4, 1.0),
    "distinct_2": ("Variety", "distinct word pairs; yours is the mark to meet", 0.0, 1.0),
    "duplicates": ("Repeats", "share of messages that were there before", 0.0, 0.5),
    "shape": ("Shape", "distance of lengths, punctuation, case, emoji, bursts; 0 is the same", 0.0, 0.8),
    "copy8": ("Copied words", "share of words in runs of eight from the training messages", 0.0, 1.0),
}
LEAKS = {
    "membership": "messages it was trained on are likelier to it than others (.5 = not at all)",
    "guard_objects": "of what it would say is held back by the guard",
    "guard_silences": "ends in silence after four tries",
    "guard_blocks_real": "of your own new messages the guard would hold back: what it costs",
    "copy8_unguarded": "of its words copied, before the guard",
    "full_unguarded": "whole training messages, before the guard",
}
MODEL = {
    "bits_per_character": "bits a character of your new messages",
    "bits_per_character_base": "… for the base without adapter",
    "attribution": "of pairs in which the adapter prefers your message to another's (.5 = chance)",
    "relevance": "of answers found among ten by their question (.1 = chance)",
    "voice_ratio_among_speakers": "voice ratio over all speakers that were trained",
}


def page(
    name: str,
    bundle: Bundle,
    corpus: Corpus,
    found: Evaluation,
    tally: str = "",
    leaks: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The whole page. tally: what came of the Turing game, if it was played. leaks: of the canary audit."""
    sections = [
        _section("", _warnings(found.warnings) + _gate(bundle.seal.metrics.get("gate"))),
        _section("How alike it is", _battery(found)),
        _section("Beside you", _pairs(found.replies)),
        _section("Most and least like you", _likest(found)),
        _section("How long you write", _lengths(found)),
        _section("When you write", _hours(corpus, bundle.seal.speaker)),
        _section("The Turing game", f"<p>{escape(tally)}</p>" if tally else ""),
        _section("What leaks", _list(found.figures, LEAKS) + _canaries(leaks)),
        _section("What the model knows", _list(found.figures, MODEL)),
        _section("How it learned", _losses(bundle.seal.metrics.get("loss_history", []))),
        _section("What it learned from", _make_up(corpus, bundle)),
    ]
    headline = f"<h1>{escape(name)}, imitated</h1><p class=verdict>{escape(verdict(found)).capitalize()}.</p>"
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(name)}, imitated</title><style>{STYLE}</style></head>"
    )
    return f"{head}<body><main>{headline}{''.join(sections)}{FOOT}</main></body></html>\n"


def _section(title: str, inside: str) -> str:
    heading = f"<h2>{title}</h2>" if title else ""
    return f"<section>{heading}{inside}</section>" if inside else ""


def _warnings(warnings: Sequence[str]) -> str:
    return "".join(f'<p class="warning">{escape(one)}.</p>' for one in warnings)


def _gate(gate: Mapping[str, Any] | None) -> str:
    if not gate:
        return ""
    told = [f"Kept off the air: {one}" if not gate["forced"] else f"Forced, although {one}" for one in gate["reasons"]]
    return "".join(f'<p class="warning">{escape(one)}.</p>' for one in [*told, *gate["notes"]])


def _battery(found: Evaluation) -> str:
    if "tuned" not in found.rows:
        return ""
    parts = []
    for key, (title, means, low, high) in FIGURES.items():
        rows = {NAMES[name]: figure for name in ORDER if name in found.rows and (figure := found.rows[name][key])}
        if "the imitation" in rows:
            marks = {"you": rows["you"].value} if "you" in rows else {}
            parts.append(
                f"<h3>{title}</h3><p class=means>{escape(means)}</p>{charts.bars_between(rows, low, high, marks)}"
            )
    return "".join(parts)


def _pairs(replies: Sequence[GeneratedReply]) -> str:
    some = spread([one for one in replies if one.lines], SAMPLES)
    rows = "".join(
        f"<tr><td class=asked>{_lines(one.context.before[-1].lines) if one.context.before else '…'}</td>"
        f"<td>{_lines(one.context.real.lines)}</td><td class=ours>{_lines(one.lines)}</td></tr>"
        for one in some
    )
    heads = "<tr><th>what came before</th><th>you</th><th>the imitation</th></tr>"
    return f'<div class=scroll><table class="pairs">{heads}{rows}</table></div>' if rows else ""


def _likest(found: Evaluation) -> str:
    extreme = extremes([one.context.text for one in found.replies], texts_of(found.replies))
    if extreme is None:
        return ""
    most, least = (
        "".join(f"<li>{_lines(text.split(chr(10)))}</li>" for text in some)
        for some in (extreme.closest, extreme.farthest)
    )
    words = f"<p>Said too often: {_words(extreme.overused)}.</p><p>Not often enough: {_words(extreme.underused)}.</p>"
    return f"<h3>Hardest to tell from you</h3><ul>{most}</ul><h3>Easiest to tell</h3><ul>{least}</ul>{words}"


def _lengths(found: Evaluation) -> str:
    labels = [str(most) if most < 4 else f"≤{most}" for most in LENGTHS] + [f">{LENGTHS[-1]}"]
    kinds = {
        "the imitation": texts_of(found.replies),
        "you": [one.context.text for one in found.replies],
    }
    counts = {
        name: [float(Counter(map(length_bin, texts))[number]) for number in range(len(labels))]
        for name, texts in kinds.items()
    }
    return "<p class=means>words a message</p>" + charts.columns(counts, labels) if found.replies else ""


def _hours(corpus: Corpus, speaker: str) -> str:
    hours = Counter(
        datetime.fromtimestamp(at, UTC).hour
        for one in corpus.conversations
        for turn, at in zip(one.conversation.turns, one.timestamps, strict=True)
        if turn.speaker == speaker and at is not None
    )
    if not hours:
        return ""
    labels = [str(hour) if hour % 3 == 0 else "" for hour in range(24)]
    return charts.columns({"your messages by hour (UTC)": [float(hours[hour]) for hour in range(24)]}, labels)


def _losses(history: Sequence[Mapping[str, float]]) -> str:
    training = [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]
    held_out = [
        (entry["step"], entry["eval_bits_per_character"]) for entry in history if "eval_bits_per_character" in entry
    ]
    series = {"training loss, nats a token": training, "held out, bits a character": held_out}
    shown = {name: points for name, points in series.items() if len(points) > 1}
    return charts.curves(shown, "steps") if shown else ""


def _list(figures: Mapping[str, Figure | None], names: Mapping[str, str]) -> str:
    items = "".join(
        f"<li><b>{figure.value:.3f}</b> <small>({figure.low:.3f} to {figure.high:.3f})</small> {escape(means)}</li>"
        for key, means in names.items()
        if (figure := figures.get(key))
    )
    return f"<ul class=figures>{items}</ul>" if items else ""


def _canaries(leaks: Sequence[Mapping[str, Any]]) -> str:
    """What a throw-away adapter gave away of planted secrets."""
    heads = "<tr><th>a secret said</th><th>exposure, bits</th><th>extracted</th><th>… past the guard</th>"
    rows = "".join(
        f"<tr><td>{one['said']}</td><td>{one['exposure']:.1f}</td>"
        f"<td>{one['extracted']:.0f} of {one['canaries']:.0f}</td><td>{one['guarded']:.0f}</td></tr>"
        for one in leaks
    )
    return f"<h3>Planted secrets</h3><table>{heads}</tr>{rows}</table>" if rows else ""


def _make_up(corpus: Corpus, bundle: Bundle) -> str:
    me = bundle.seal.speaker
    parts = {part: corpus.messages(me, (part,)) for part in ("train", "a", "b")}
    scenes = Counter(one.conversation.scene for one in corpus.conversations)
    speakers = len({turn.speaker for one in corpus.conversations for turn in one.conversation.turns})
    rows = {
        "your messages": f"{parts['train']:,} to train on, {parts['a']:,} and {parts['b']:,} for the judges",
        "conversations": ", ".join(f"{count:,} {scene}" for scene, count in scenes.most_common()),
        "people": f"{speakers:,}",
        "base": bundle.seal.base.model,
    }
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows.items()) + "</dl>"


def _words(words: Sequence[str]) -> str:
    return ", ".join(f"<q>{escape(word)}</q>" for word in words)


def _lines(lines: Sequence[str]) -> str:
    return "<br>".join(map(escape, lines))
