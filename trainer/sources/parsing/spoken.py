"""Messages of whole conversations, as transcripts and instruction data hold them.

Not a source. Ids are hashed from the words: a conversation has one id in any file.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from persona.names import SOMEONE
from persona.transcript import UNKNOWN, Conversation, Quote, TranscriptError, read_quote, reads_as_quote
from trainer.sources.message import ConversationType, Message, MessageKind

ROLES = "roles"  # the platform of speakers known by a role alone, such as user and assistant

_TYPES: dict[str, ConversationType] = {"timeline": "feed", "reply": "feed", "group": "group", "dm": "dm"}


@dataclass(frozen=True, slots=True)
class SpokenMessage:
    """One message by a named person or by a role. kind: see Message. quote: what it answers, if not the one before."""

    text: str
    name: str = ""
    role: str = ""
    kind: MessageKind = "message"
    quote: Quote | None = None


LOST = SpokenMessage(UNKNOWN, SOMEONE)  # a parent that no export holds


class ChannelIds:
    """Hash conversations into ids; equal ones are numbered, so that all are kept."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def next(self, words: str) -> str:
        """Return the id of the next conversation, which says `words`."""
        digest = hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=10)
        self._seen[digest.digest()] += 1
        count = self._seen[digest.digest()]
        return digest.hexdigest() if count == 1 else f"{digest.hexdigest()}-{count}"


def of(conversation: Conversation) -> list[SpokenMessage]:
    """Return what is said in a conversation, turn by turn."""
    return [SpokenMessage(turn.text, turn.speaker, quote=turn.quote) for turn in conversation.turns]


def spoken(
    scene: str, year: int | None, said: Sequence[SpokenMessage], channels: ChannelIds, *, bursts: bool = True
) -> Iterator[Message]:
    """Yield the messages of one conversation.

    A reply's lost parent yields none, but is answered. bursts: each line of a
    chat turn is a message; in a feed a turn is one message anyway.
    """
    words = "\x1e".join(f"{message.name}\x1f{message.role}\x1f{message.text}" for message in said)
    channel = channels.next(f"{scene} {year} {words}")
    feed = _TYPES[scene] == "feed"
    at = datetime(year, 7, 1, tzinfo=UTC).timestamp() if year else None
    platform = ROLES if any(message.role for message in said) else "text"
    previous = ""
    for number, message in enumerate(map(_with_quote, said), start=1):
        texts = message.text.split("\n") if bursts and not feed else [message.text]
        for place, text in enumerate(texts if message != LOST else ()):
            yield Message(
                platform=platform,
                conversation_id=channel,
                conversation_type=_TYPES[scene],
                message_id=f"{channel}:{number}.{place}" if place else f"{channel}:{number}",
                sender_id=message.role or message.name,
                sender_name=message.name,
                timestamp=at,
                kind=message.kind,
                text=text,
                reply_to_id=previous if feed else "",
                reply_to_name=message.quote.speaker if message.quote and not place else "",
                quoted_text=message.quote.words if message.quote and not place else "",
            )
        previous = f"{channel}:{number}"


def _with_quote(message: SpokenMessage) -> SpokenMessage:
    """The message with what it answers apart, if its first line says that."""
    line, _, rest = message.text.partition("\n")
    if message.quote or not rest or not reads_as_quote(line):
        return message
    try:
        return replace(message, text=rest, quote=read_quote(line))
    except TranscriptError:  # it names nobody as alterego writes names: somebody's own words
        return message
