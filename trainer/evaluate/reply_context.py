"""Reply contexts: where somebody spoke in a held-out conversation, what came before and what was really said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from persona.transcript import UNKNOWN, Turn
from trainer.corpus.segmentation import ConversationRecord

CONTEXT_TURNS = 20  # as [talk] context_turns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """Where somebody spoke. before: the turns before, the last at most CONTEXT_TURNS. real: what was said. at: UTC seconds."""

    conversation_id: str
    scene: str
    year: int | None
    before: tuple[Turn, ...]
    real: Turn
    at: float | None

    @property
    def text(self) -> str:
        """Return what was really said."""
        return self.real.text


def reply_contexts(found: Iterable[ConversationRecord], speaker: str) -> list[ReplyContext]:
    """Return a context for every turn of `speaker` that holds words, in the order of the conversations."""
    return [
        ReplyContext(
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
    """Return what everybody said, turn by turn, without masked turns."""
    said: dict[str, list[str]] = {}
    for one in found:
        for turn in one.conversation.turns:
            if turn.lines != (UNKNOWN,):
                said.setdefault(turn.speaker, []).append(turn.text)
    return said


def spread(found: Sequence[T], count: int) -> list[T]:
    """Return at most `count` of the items, evenly spaced, in order."""
    if len(found) <= count:
        return list(found)
    return [found[place * len(found) // count] for place in range(count)]
