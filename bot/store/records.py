"""The records that the store takes and returns."""

from dataclasses import dataclass
from typing import NamedTuple

REACTS = "/react/"  # in the id of a reaction's row, after the id of the message that somebody reacted to


def reaction_id(message_id: str, author_id: str, emoji: str) -> str:
    """Return the id of a reaction's row: the same emoji of one person is there once."""
    return f"{message_id}{REACTS}{author_id}/{emoji}"


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message to commit. speaker: its author's key. trigger: what in it asks for an answer, "" if nothing does. name:
    the display name of an author who is new in the channel, or called otherwise now; None for a known one.

    reply_to: the id of the message that it answers by a link, "" if that stands elsewhere. to_persona: it addresses the
    persona. due_at: before then it is not answered, UTC seconds. quoted: the words that it answers, quoted_author,
    quoted_speaker: whose they are. is_part_quoted: only those are answered. forwarded_author: whose words it passes on.
    sticker, sticker_id: what it showed.
    """

    account: str
    channel: str
    message_id: str
    author_id: str
    speaker: str
    lines: tuple[str, ...]
    at: float
    is_dm: bool = False
    trigger: str = ""
    name: str | None = None
    reply_to: str = ""
    to_persona: bool = False
    quoted_author: str = ""
    quoted_speaker: str = ""
    quoted: tuple[str, ...] = ()
    is_part_quoted: bool = False
    forwarded_author: str = ""
    due_at: float = 0.0
    sticker: str = ""
    sticker_id: str = ""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A row of the inbox without a verdict. due_at: before then it is not answered, UTC seconds."""

    id: int
    account: str
    channel: str
    message_id: str
    author_id: str
    is_dm: bool
    trigger: str
    at: float
    due_at: float = 0.0


class HistoryMessage(NamedTuple):
    """A message of a channel's memory, of which hundreds are read for an answer. author_id: "" for the persona. reply_to,
    to_persona: as of an InboundMessage. quoted: the words that it answers, if they are known; quoted_speaker: the key of
    whose they are. name: what its author calls themselves there, if that is known."""

    message_id: str
    author_id: str
    speaker: str
    lines: tuple[str, ...]
    at: float
    reply_to: str = ""
    to_persona: bool = False
    quoted_speaker: str = ""
    quoted: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class ChannelView:
    """What an answer to a message is made of. messages: the last ones up to it, oldest first, none if it was deleted.
    following: those after it. own: the persona's last ones, newest first."""

    messages: list[HistoryMessage]
    following: list[HistoryMessage]
    own: list[HistoryMessage]


@dataclass(frozen=True, slots=True)
class Note:
    """What the persona was told to remember, on one line. id: by which it is taken back. at: when, UTC seconds."""

    id: int
    words: str
    at: float


@dataclass(frozen=True, slots=True)
class Recent:
    """What was answered lately. channel_hour, author_hour: answers in the last hour, in the channel and to the author.
    author_minute: answers to the author in the last minute. author_at: when they were last answered, 0 for never.
    unprompted_hour: answers in the channel in the last hour for which nobody had asked."""

    channel_hour: int = 0
    author_hour: int = 0
    author_minute: int = 0
    author_at: float = 0.0
    unprompted_hour: int = 0


@dataclass(frozen=True, slots=True)
class PolicyContext:
    """What policy asks of the store. open: whether the message still wants a verdict. silent: whether the persona was
    told to be quiet there. last_spoke: when it last said something there, 0 for never. newer_waits: whether a later
    message of the channel waits too."""

    open: bool
    silent: bool
    last_spoke: float
    recent: Recent
    newer_waits: bool = False


@dataclass(frozen=True, slots=True)
class Participant:
    """Who bears a speaker key in a channel. name: as they call themselves."""

    speaker: str
    name: str


@dataclass(frozen=True, slots=True)
class Participants:
    """Among whom messages were said. opted_out: author ids. by_channel: those seen there, by author id."""

    opted_out: set[str]
    by_channel: dict[str, dict[str, Participant]]


@dataclass(frozen=True, slots=True)
class OutgoingPart:
    """One post to make. text: formatted for the platform. said: its lines as memory keeps them. introduces: in it the
    persona introduces itself. post_type: text, reaction or sticker."""

    text: str
    said: tuple[str, ...]
    introduces: bool = False
    post_type: str = "text"


@dataclass(frozen=True, slots=True)
class Answer:
    """How an answer was made, kept for those who rate it. prompt, completion: text. adapter: name and version. authors:
    ids of the people whose words are in the prompt."""

    prompt: str
    completion: str
    adapter: str
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """A row of the outbox. state: ready, sending, sent, uncertain or failed. at: when it was written. not_before: when
    the platform allows the next try, UTC seconds."""

    id: int
    account: str
    channel: str
    origin: str
    part: int
    text: str
    said: tuple[str, ...]
    reply_to: str
    after: str
    state: str
    at: float
    not_before: float = 0.0
    post_type: str = "text"


@dataclass(frozen=True, slots=True)
class PostedAnswer:
    """What was posted in one go. message_ids: of its posts. author_id: whom it answers, "" for nobody."""

    origin: str
    message_ids: tuple[str, ...]
    author_id: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was forgotten of somebody. at: when, UTC seconds. replies: posts that answer them, and what was said in their
    private channels. marks: what else was noted of those. quotes: of their words in what others said. notes: that they told
    the persona to remember."""

    who: str
    at: float
    messages: int
    verdicts: int
    names: int
    feedback: int
    updates: int
    replies: int = 0
    marks: int = 0
    quotes: int = 0
    notes: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        counts = (self.messages, self.verdicts, self.names, self.feedback, self.updates, self.replies, self.marks)
        return sum(counts) + self.quotes + self.notes
