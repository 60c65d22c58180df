"""Reply contexts: where somebody spoke in a held-out conversation, what came before and what was really said."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from persona.archive.index import Archive
from persona.archive.recall import recall
from persona.bundle import Seal
from persona.encoding import Encoding
from persona.markers import says_words
from persona.transcript import Excerpt, Turn
from trainer.corpus.archiving import cue_before
from trainer.corpus.conversation_records import ConversationRecord

CONTEXT_TURNS = 20  # as [talk] context_turns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """Where somebody spoke. before: the turns before, the last at most CONTEXT_TURNS. real: what was said. at: UTC seconds.
    memories: what came to mind before it."""

    conversation_id: str
    scene: str
    year: int | None
    before: tuple[Turn, ...]
    real: Turn
    at: float | None
    memories: tuple[Excerpt, ...] = ()

    @property
    def text(self) -> str:
        """Return what was really said."""
        return self.real.text


def reply_contexts(records: Iterable[ConversationRecord], speaker: str) -> list[ReplyContext]:
    """Return a context for every turn of `speaker` that holds words, in the order of the conversations."""
    return [
        ReplyContext(
            record.id,
            record.conversation.scene,
            record.conversation.year,
            record.conversation.turns[max(0, index - CONTEXT_TURNS) : index],
            turn,
            at,
        )
        for record in records
        for index, (turn, at) in enumerate(zip(record.conversation.turns, record.timestamps, strict=True))
        if turn.speaker == speaker and says_words(turn)
    ]


def reminded(
    contexts: Iterable[ReplyContext], archive: Archive, encoding: Encoding, seal: Seal, turns: int = CONTEXT_TURNS
) -> list[ReplyContext]:
    """Return the contexts with what comes to mind before each reply: what was said earlier, in other conversations. turns:
    before each; of fewer than CONTEXT_TURNS nothing comes to mind, which is longer than they are."""
    if turns < CONTEXT_TURNS:
        return [replace(context, before=context.before[-turns:], memories=()) for context in contexts]
    return [
        replace(
            context,
            memories=recall(
                archive,
                cue_before(
                    context.scene,
                    context.before,
                    persona=seal.speaker,
                    quote=context.real.quote,
                    at=context.at,
                    conversation=context.conversation_id,
                ),
                encoding,
                seal.max_length,
            ),
        )
        if context.before
        else context
        for context in contexts
    ]


def unreminded(context: ReplyContext) -> ReplyContext:
    """Return the context as it is known to an adapter without memories."""
    return replace(context, memories=())


def context_key(context: ReplyContext) -> str:
    """Return the key of a held-out context, whatever comes to mind before it."""
    spoken = [(turn.speaker, turn.text) for turn in (*context.before, context.real)]
    return hashlib.sha256(f"{context.conversation_id} {spoken}".encode()).hexdigest()[:32]


def texts_by_speaker(records: Iterable[ConversationRecord]) -> dict[str, list[str]]:
    """Return what everybody said, turn by turn, without masked turns and reactions."""
    texts: dict[str, list[str]] = {}
    for record in records:
        for turn in record.conversation.turns:
            if says_words(turn):
                texts.setdefault(turn.speaker, []).append(turn.text)
    return texts


def evenly_spaced(items: Sequence[T], count: int) -> list[T]:
    """Return at most `count` of the items, evenly spaced, in order."""
    if len(items) <= count:
        return list(items)
    return [items[index * len(items) // count] for index in range(count)]


def spread(count: int) -> list[int]:
    """Return the places 0 to count - 1 in an order of which every beginning is spread evenly over them."""
    golden = (5**0.5 - 1) / 2
    return sorted(range(count), key=lambda place: place * golden % 1)
