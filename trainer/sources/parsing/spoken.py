"""Conversations that stand in a file whole, as messages: those of transcripts and of instruction data. Not a source.

What has no ids gets them from its own words: the same conversation is the same one in any file.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from persona.names import SOMEONE
from persona.transcript import UNKNOWN, Conversation
from trainer.sources.message import Message

ROLES = "roles"  # the platform of speakers known by a role alone, such as user and assistant

_TYPES = {"timeline": "feed", "reply": "feed", "group": "group", "dm": "dm"}


@dataclass(frozen=True, slots=True)
class Said:
    """One message: by somebody with a name, or by a role. kind: see Message."""

    text: str
    name: str = ""
    role: str = ""
    kind: str = "message"


LOST = Said(UNKNOWN, SOMEONE)  # a parent that nobody has


class Channels:
    """Ids for conversations: of their words, numbered among equals, for a habit of four hundred times is four hundred."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def next(self, words: str) -> str:
        """The id of the conversation that says `words` and comes next."""
        digest = hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=10)
        self._seen[digest.digest()] += 1
        count = self._seen[digest.digest()]
        return digest.hexdigest() if count == 1 else f"{digest.hexdigest()}-{count}"


def of(conversation: Conversation) -> list[Said]:
    """What is said in a conversation, turn by turn."""
    return [Said(turn.text, turn.speaker) for turn in conversation.turns]


def spoken(
    scene: str, year: int | None, said: Sequence[Said], channels: Channels, *, bursts: bool = True
) -> Iterator[Message]:
    """The messages of one conversation, in its scene; a reply's lost parent makes none, but is answered.

    bursts: what is said in a chat is a burst of messages, a line each; in a feed it is one message anyway.
    """
    words = "\x1e".join(f"{one.name}\x1f{one.role}\x1f{one.text}" for one in said)
    channel = channels.next(f"{scene} {year} {words}")
    feed = _TYPES[scene] == "feed"
    at = datetime(year, 7, 1, tzinfo=UTC).timestamp() if year else None
    platform = ROLES if any(one.role for one in said) else "text"
    previous = ""
    for number, one in enumerate(said, start=1):
        texts = one.text.split("\n") if bursts and not feed else [one.text]
        for place, text in enumerate(texts if one != LOST else ()):
            yield Message(
                platform=platform,
                conversation_id=channel,
                conversation_type=_TYPES[scene],
                message_id=f"{channel}:{number}.{place}" if place else f"{channel}:{number}",
                sender_id=one.role or one.name,
                sender_name=one.name,
                timestamp=at,
                kind=one.kind,
                text=text,
                reply_to_id=previous if feed else "",
            )
        previous = f"{channel}:{number}"
