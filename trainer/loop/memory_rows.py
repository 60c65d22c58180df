"""Rows in which the persona replies after something came to mind: so a model learns what it may make of memories.

A third of the replies are drawn by hash. Of these one in four keeps its place in the pass over its conversation, without
memories, and so do those that nothing comes to mind for; the others are rows of their own. One memory in three is drawn at
random, so that what has nothing to do with the talk is passed over.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from persona.archive.index import Archive
from persona.archive.recall import recall_passages, token_budget
from persona.encoding import Encoding
from persona.markers import says_words
from persona.transcript import Conversation, Excerpt, Turn
from trainer.corpus.archiving import cue_before
from trainer.corpus.conversation_records import ConversationRecord
from trainer.loop.batches import Window, reply_windows

SHARE_DRAWN, SHARE_WITHOUT = 3, 4  # one reply in so many is drawn, and of those one in so many has no memories
SHARE_RANDOM = 3  # one memory in so many is drawn at random
CONTEXTS = (2, 3, 4, 6, 12)  # turns before a reply, drawn too: long ones are learned in the pass over conversations
MAX_ROWS = 20_000  # rows with memories: more teach nothing about reading them
CUE_TURNS = 20  # turns of the talk from which what comes to mind is looked up; as the bot's context


@dataclass(frozen=True, slots=True)
class MemoryRows:
    """Rows with memories. replies: by conversation id, the places of the turns that are said in them, and so nowhere
    else."""

    windows: Sequence[Window] = ()
    replies: Mapping[str, set[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reply:
    """A turn that answers another one. at: when it was said. numbers: drawn at random, always the same for it."""

    record: ConversationRecord
    place: int
    at: float | None
    numbers: tuple[int, ...]

    @property
    def turn(self) -> Turn:
        return self.record.conversation.turns[self.place]


def memory_rows(
    records: Sequence[ConversationRecord],
    speakers: frozenset[str],
    archive: Archive,
    encoding: Encoding,
    max_length: int,
    persona: str,
) -> MemoryRows:
    """Return the rows with memories of some conversations. speakers: whose replies carry loss. max_length: of a row."""
    drawn = [reply for record in records for reply in _replies(record, speakers) if _is_drawn(reply)]
    sparse = max(1, -(-len(drawn) // MAX_ROWS))
    replies: dict[str, set[int]] = {}
    conversations: list[Conversation] = []
    for reply in (each for each in drawn if each.numbers[1] % sparse == 0):
        if memories := _memories(reply, archive, encoding, max_length, persona):
            replies.setdefault(reply.record.id, set()).add(reply.place)
            conversations.append(_with_memories(reply, memories))
    return MemoryRows(reply_windows(encoding, conversations, max_length), replies)


def _replies(record: ConversationRecord, speakers: frozenset[str]) -> Iterator[_Reply]:
    """Yield the turns of `speakers` that answer somebody else."""
    turns = record.conversation.turns
    at: float | None = None
    before = None
    for place, (turn, said_at) in enumerate(zip(turns, record.timestamps, strict=True)):
        at = at if said_at is None else said_at  # a reaction has none
        if turn.speaker in speakers and before not in (None, turn.speaker) and says_words(turn):
            yield _Reply(record, place, at, _numbers(f"{record.id} {place}"))
        before = turn.speaker


def _numbers(name: str) -> tuple[int, ...]:
    digest = hashlib.blake2b(name.encode(), digest_size=40).digest()
    return tuple(int.from_bytes(digest[start : start + 4]) for start in range(0, len(digest), 4))


def _is_drawn(reply: _Reply) -> bool:
    draw = reply.numbers[0]
    return draw % SHARE_DRAWN == 0 and draw // SHARE_DRAWN % SHARE_WITHOUT != 0


def _memories(
    reply: _Reply, archive: Archive, encoding: Encoding, max_length: int, persona: str
) -> tuple[Excerpt, ...]:
    """Return what comes to mind before a reply, some of it put there at random."""
    conversation = reply.record.conversation
    cue = cue_before(
        conversation.scene,
        conversation.turns[max(0, reply.place - CUE_TURNS) : reply.place],
        persona=persona,
        quote=reply.turn.quote,
        at=reply.at,
        conversation=reply.record.id,
    )
    passages = [each.passage for each in recall_passages(archive, cue, encoding, max_length)]
    for place, number in enumerate(reply.numbers[2 : 2 + len(passages)]):
        if number % SHARE_RANDOM == 0 and (other := archive.draw(cue, number // SHARE_RANDOM)):
            passages[place] = other
    memories = [passage.excerpt for passage in passages]
    while memories and encoding.memory_length(memories) > token_budget(max_length):
        memories.pop()
    return tuple(memories)


def _with_memories(reply: _Reply, memories: tuple[Excerpt, ...]) -> Conversation:
    whole = reply.record.conversation
    context = CONTEXTS[reply.numbers[-1] % len(CONTEXTS)]
    return Conversation(whole.scene, whole.turns[max(0, reply.place - context) : reply.place + 1], whole.year, memories)
