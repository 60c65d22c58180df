"""Facts that were said before: which words are some, and how their nats are compared."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persona.archive.index import Archive, build
from persona.archive.passages import Passage, passages_of
from persona.transcript import Conversation, Excerpt, Turn
from tests.fakes.small_voice import SPEAKER, small_encoding
from trainer.evaluate.cloze import MIN_FACTS, cloze, facts_of
from trainer.evaluate.intervals import Numbers
from trainer.evaluate.likelihood import _part_only
from trainer.evaluate.reply_context import ReplyContext
from trainer.loop.batches import windows_of


def passages() -> Iterator[Passage]:
    """One conversation says 4711 and Zwettl, sixty say nothing of the kind."""
    for number in range(60):
        talk = (Turn("JONAS", (f"the tram is late again {number * 7919}",)), Turn(SPEAKER, ("as ever",)))
        yield from passages_of(Conversation("group", talk), (number, number + 0.5), id=f"tram {number}")
    talk = (Turn("PRIYA", ("the code for the gate?",)), Turn(SPEAKER, ("4711, and it is in Zwettl",)))
    yield from passages_of(Conversation("group", talk), (100.0, 101.0), id="gate")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    path = tmp_path / "archive.sqlite"
    build(path, passages())
    with closing(Archive.open(path)) as opened:
        yield opened


def context(said: str, asked: str = "how do i get in?", at: float | None = 1000.0) -> ReplyContext:
    return ReplyContext("held out", "group", None, (Turn("PRIYA", (asked,)),), Turn(SPEAKER, (said,)), at)


@pytest.mark.parametrize(
    ("said", "asked", "fact"),
    [
        ("try 4711 at the gate", "how do i get in?", "4711"),
        ("it was in Zwettl", "where?", "Zwettl"),
        ("it was in zwettl", "where?", "zwettl"),
        ("try 4711", "is it 4711?", ""),
        ("try 4712", "how?", ""),
        ("the tram is late again", "why?", ""),
    ],
)
def test_a_fact_was_said_before_and_not_just_now(archive: Archive, said: str, asked: str, fact: str) -> None:
    """Numbers, capitals inside a line, and words that the language hardly has."""
    found = facts_of([context(said, asked)], archive, SPEAKER)
    assert [each.context.text[each.start : each.end] for each in found] == ([fact] if fact else [])
    for each in found:
        assert any("4711" in turn.text for turn in each.right.turns)
        assert not any("4711" in turn.text for turn in each.wrong.turns)


def test_what_was_said_later_or_in_the_same_talk_is_no_fact(archive: Archive) -> None:
    """As memories are found."""
    assert not facts_of([context("try 4711", at=50.0)], archive, SPEAKER)
    assert not facts_of([replace(context("try 4711"), conversation_id="gate")], archive, SPEAKER)


def test_whether_it_came_to_mind_is_told(archive: Archive) -> None:
    """By what the context remembers."""
    window = Excerpt((Turn(SPEAKER, ("4711, and it is in Zwettl",)),))
    asked = [context("try 4711"), replace(context("try 4711"), memories=(window,))]
    assert [fact.recalled for fact in facts_of(asked, archive, SPEAKER)] == [False, True]


class Reads:
    """A scorer that reads memories: a fact in one costs a nat, else five, and half a nat more if it is led astray."""

    def nats_of_parts(self, asked: Sequence[tuple[ReplyContext, int, int]]) -> Numbers:
        nats = []
        for each, start, end in asked:
            windows = ["\n".join(turn.text for turn in memory.turns) for memory in each.memories]
            fact = each.text[start:end]
            nats.append(1.0 if any(fact in window for window in windows) else 5.0 + 0.5 * bool(windows))
        return np.array(nats)


def test_the_right_window_is_compared_with_none_and_a_wrong_one(archive: Archive) -> None:
    """With too few facts nothing is said."""
    facts = facts_of([context("try 4711")] * MIN_FACTS, archive, SPEAKER)
    scorer: Any = Reads()
    measured = cloze(scorer, facts)
    assert measured
    assert (measured.nats.value, measured.gain.value, measured.harm.value, measured.found.value) == (5.0, 4.0, 0.5, 0.0)
    assert cloze(scorer, facts[1:]) is None


@pytest.mark.parametrize(
    ("text", "part"), [("try 4711 at the gate", "4711"), ("naïve Zwettl 🙂 ok", "Zwettl"), ("4711", "4711")]
)
def test_only_the_ids_of_the_part_carry_loss(text: str, part: str) -> None:
    """Whatever the tokenizer makes of it: together they hold the part, and hardly more."""
    encoding = small_encoding()
    turns = (Turn("PRIYA", ("how?",)), Turn(SPEAKER, (text,)))
    (row,) = windows_of(encoding, [Conversation("group", turns)], frozenset({SPEAKER}), 4096)
    start = text.index(part)
    window = _part_only(row, encoding, start, start + len(part))
    held = encoding.decode([i for i, has_loss in zip(window.ids, window.loss_mask, strict=True) if has_loss])
    assert part in held
    assert len(held) <= len(part) + 2
