"""Occasions: the moments at which somebody spoke in held-out conversations, with what came before and what was said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from persona.transcript import UNKNOWN, Turn
from trainer.corpus.segmentation import ConversationRecord

CONTEXT_TURNS = 20  # as [talk] context_turns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Occasion:
    """stretch: the id of its conversation. before: the turns before, the last at most CONTEXT_TURNS. real: what was said
    then. at: when, UTC seconds."""

    stretch: str
    scene: str
    year: int | None
    before: tuple[Turn, ...]
    real: Turn
    at: float | None

    @property
    def text(self) -> str:
        """What was really said."""
        return self.real.text


def occasions(found: Iterable[ConversationRecord], speaker: str) -> list[Occasion]:
    """Every turn of `speaker` that holds words, in the order of the conversations."""
    return [
        Occasion(
            one.id,
            one.conversation.scene,
            one.conversation.year,
            one.conversation.turns[max(0, place - CONTEXT_TURNS) : place],
            turn,
            at,
        )
        for one in found
        for place, (turn, at) in enumerate(zip(one.conversation.turns, one.timestamps, strict=True))
        if turn.speaker == speaker and turn.lines != (UNKNOWN,)
    ]


def texts_by_speaker(found: Iterable[ConversationRecord]) -> dict[str, list[str]]:
    """What everybody said, turn by turn; masked turns left out."""
    said: dict[str, list[str]] = {}
    for one in found:
        for turn in one.conversation.turns:
            if turn.lines != (UNKNOWN,):
                said.setdefault(turn.speaker, []).append(turn.text)
    return said


def spread(found: Sequence[T], count: int) -> list[T]:
    """At most `count` of them, evenly spaced, in order."""
    if len(found) <= count:
        return list(found)
    return [found[place * len(found) // count] for place in range(count)]
