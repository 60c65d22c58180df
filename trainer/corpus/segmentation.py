"""Messages to conversations: the threads of a chat (persona.threads), the trees of replies of a feed. Pure."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import islice
from operator import le
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from persona.markers import forwarded, is_reaction, reaction
from persona.names import SOMEONE
from persona.threads import Rhythm, ThreadFinder, named_in, rhythm_of
from persona.transcript import UNKNOWN, Conversation, Quote, Turn, quote
from trainer.people.identities import KnownPerson

TRANSCRIPTS = ("text", "roles")  # platforms of what may be our own: a turn answers what it quotes, and nothing else
DAY_SECONDS = 86400
MAX_REACTIONS = 2  # to one message, of people who are not imitated: a crowd's would fill the context
MAX_UNDATED_TURNS = 32  # a text without dates has no gaps to cut it at
UNKNOWN_PARENT = "?"  # as reply_to: it answers something, and nobody knows what
MAX_RHYTHM_MESSAGES = 4096  # of a channel, evenly spaced: so many tell whether people say whom they mean
MAX_DATED_TURNS = 400  # a group that never pauses is cut somewhere


class QuotedLines(msgspec.Struct, frozen=True, gc=False):
    """Words that stand in no message of their own. author: identity key, "" if unknown."""

    lines: tuple[str, ...]
    author: str = ""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message of the corpus. sender, mentions, forwarded_from: identity keys (see people). at: UTC seconds. quoted: what it
    answers, if that is no message. reactions: (emoji, identity key) pairs. forwarded_from: who said it first, "?" if unknown,
    "" if it is the sender's own. What few messages have is in as few fields as can be: millions are held at once."""

    platform: str
    source: str
    channel: str
    conversation_type: str
    message_id: str
    sender: str
    at: float | None
    lines: tuple[str, ...]
    reply_to: str = ""
    thread: str = ""
    quoted: QuotedLines | None = None
    mentions: tuple[str, ...] = ()
    reactions: tuple[tuple[str, str], ...] = ()
    forwarded_from: str = ""

    @property
    def text(self) -> str:
        """Its words, and none of those it quotes."""
        return "\n".join(self.lines)

    @property
    def all_lines(self) -> tuple[str, ...]:
        """Its lines and those it quotes."""
        return (*self.lines, *self.quoted.lines) if self.quoted else self.lines


def message_key(row: Row) -> tuple[str, ...]:
    """Return the key that a message has in every export that holds it."""
    if row.platform == "text":  # no ids: the same words by the same speaker at the same place of the same file
        return (row.platform, row.channel, row.message_id, row.sender, *row.lines)
    return (row.platform, row.channel, row.message_id)


class AnsweredRow(NamedTuple):
    """The message that another one answers. explicit: by a reply link; otherwise by whom it addresses, or who addressed its
    author."""

    row: Row
    explicit: bool


class MessageGroup(NamedTuple):
    """The messages of one conversation, in order. lost_parent: it answers what is not there. answers: by message id, what a
    message of a chat answers, if that is not the message before it; it may stand in another conversation."""

    scene: str
    rows: Sequence[Row]
    lost_parent: bool = False
    answers: Mapping[str, AnsweredRow] = MappingProxyType({})


class ConversationRecord(msgspec.Struct, frozen=True, gc=False):
    """A conversation of the corpus: its transcript, and when each turn was said. id: stable over imports. ends: when the last
    message of each turn was said, by default its first."""

    id: str
    conversation: Conversation
    timestamps: tuple[float | None, ...]
    platform: str
    ends: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        if not self.ends:
            msgspec.structs.force_setattr(self, "ends", self.timestamps)


def conversation_records(
    rows: Sequence[Row], people: Mapping[str, KnownPerson], *, others: str, gap: float = 0
) -> Iterator[ConversationRecord]:
    """Return the conversations of all rows. others: "context", "mask" or "drop" for people without consent. gap: seconds of
    silence that end a conversation, 0 = learned from each channel."""
    kept = [row for row in rows if not people[row.sender].dropped and (others != "drop" or people[row.sender].consent)]
    return (_record(group, people, others) for group in segment(kept, people, gap))


def segment(rows: Sequence[Row], people: Mapping[str, KnownPerson], gap: float = 0) -> Iterator[MessageGroup]:
    """Yield the rows of each conversation."""
    channels: dict[tuple[str, ...], list[Row]] = {}
    at_once: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        place = (row.conversation_type, row.platform, row.channel, row.thread)
        here = at_once.get(place)
        if here is None:
            here = at_once[place] = channels.setdefault(_channel_key(row), [])
        here.append(row)
    for channel in sorted(channels):
        here = channels.pop(channel)
        yield from _of_feed(here) if channel[0] == "feed" else _of_chat(here, people, gap)


def _channel_key(row: Row) -> tuple[str, ...]:
    """Return what is read in one go: a platform's feed over all authors, else one channel or thread."""
    match row.conversation_type:
        case "feed":
            return ("feed", row.platform)
        case "channel":
            return ("feed", row.platform, row.channel)
    return (row.conversation_type, row.platform, row.channel, row.thread)


def in_order(rows: Sequence[Row]) -> tuple[Sequence[Row], list[float]]:
    """Return messages by time, and the time that each is taken to be of.

    An undated one stays beside its neighbours: it is taken to be of the time of the one before it, else of the next dated
    one. 0.0 if none has a date: then the order stays.
    """
    at = next((row.at for row in rows if row.at is not None), 0.0)
    times: list[float] = []
    for row in rows:
        at = row.at if row.at is not None else at
        times.append(at)
    if all(map(le, times, islice(times, 1, None))):  # as most exports are
        return rows, times
    order = sorted(range(len(rows)), key=times.__getitem__)
    return [rows[place] for place in order], [times[place] for place in order]


def _of_chat(rows: Sequence[Row], people: Mapping[str, KnownPerson], gap: float) -> Iterator[MessageGroup]:
    scene = "dm" if rows[0].conversation_type == "dm" else "group"
    by_id = {row.message_id: row for row in rows}  # of two with one id the later in the exports counts
    rows, times = in_order(rows)
    dated = sum(row.at is not None for row in rows)
    longest = MAX_DATED_TURNS if 2 * dated > len(rows) else MAX_UNDATED_TURNS
    finder = ThreadFinder(_rhythm(rows, times, people, gap) if dated else Rhythm())
    conversations = _conversations(rows, times, by_id, people, finder, longest)
    del rows, times, by_id
    conversations.reverse()
    while conversations:  # each is gone once it is written
        talk = conversations.pop()
        yield MessageGroup(scene, talk.rows, answers=talk.answers)


def _conversations(
    rows: Sequence[Row],
    times: Sequence[float],
    by_id: Mapping[str, Row],
    people: Mapping[str, KnownPerson],
    finder: ThreadFinder,
    longest: int,
) -> "list[_Conversation]":
    """Return the conversations of a chat. times: when each of its messages was said. by_id: its messages. longest: turns,
    after which another begins."""
    conversations: list[_Conversation] = []
    current: dict[int, _Conversation] = {}  # where each thread goes on
    for row, at in zip(rows, times, strict=True):
        key = people[row.sender].key
        meant = tuple(people[named].key for named in row.mentions if named in people) if row.mentions else ()
        reply_to = row.reply_to if row.reply_to != UNKNOWN_PARENT else ""
        assigned = finder.assign(row.message_id, key, at, row.text, reply_to, meant)
        here = current.get(assigned.thread)
        if here is None or (here.turns >= longest and here.rows[-1].sender != row.sender):
            here = current[assigned.thread] = _Conversation()
            conversations.append(here)
        parent = by_id.get(assigned.parent) if assigned.parent else None
        if parent and parent.at is not None and parent.at > at:
            parent = None  # by clocks that differ: words that are still to come must not be quoted
        here.add(row, parent, assigned.explicit)
    return conversations


@dataclass(slots=True)
class _Conversation:
    """A thread, or what of it fits into one conversation, while its messages are gathered."""

    rows: list[Row] = field(default_factory=list)
    answers: dict[str, AnsweredRow] = field(default_factory=dict)
    turns: int = 0

    def add(self, row: Row, parent: Row | None, explicit: bool) -> None:
        """Say `row` here. parent: what it answers."""
        last = self.rows[-1] if self.rows else None
        self.turns += last is None or last.sender != row.sender
        if parent is not None and last is not parent:
            self.answers[row.message_id] = AnsweredRow(parent, explicit)
        self.rows.append(row)


def _rhythm(rows: Sequence[Row], times: Sequence[float], people: Mapping[str, KnownPerson], gap: float) -> Rhythm:
    """Return the rhythm of a channel, from all that was said there."""
    keys = {people[sender].key for sender in {row.sender for row in rows}}
    asked = rows[:: 1 + len(rows) // MAX_RHYTHM_MESSAGES]
    addressed = sum(
        bool(row.mentions or row.reply_to or named_in(row.lines[0], lambda name: name if name in keys else None))
        for row in asked
    )
    return rhythm_of(times, addressed * len(rows) // len(asked), gap)


def _of_feed(rows: list[Row]) -> Iterator[MessageGroup]:
    """Trees of replies: one author's alone are a thread of the timeline, any other is a reply scene."""
    by_id = {row.message_id: row for row in rows}
    trees: dict[str, list[Row]] = {}
    for row in rows:
        trees.setdefault((_root(row, by_id) if row.reply_to else row).message_id, []).append(row)
    for root, members in trees.items():
        tree: Sequence[Row] = members
        if len(members) > 1:
            tree, _ = in_order(sorted(members, key=lambda row: row.message_id != root))
        first = by_id[root]
        answers = bool(first.reply_to or first.quoted)
        alone = len(tree) == 1 or len({row.sender for row in tree}) == 1
        yield MessageGroup("timeline" if alone and not answers else "reply", tree, answers and not first.quoted)


def _root(row: Row, by_id: Mapping[str, Row]) -> Row:
    seen = {row.message_id}
    while (parent := by_id.get(row.reply_to)) and parent.message_id not in seen:
        row = parent
        seen.add(row.message_id)
    return row


def _record(group: MessageGroup, people: Mapping[str, KnownPerson], others: str) -> ConversationRecord:
    first = group.rows[0]
    written = _Written(group, people, others)
    for row in group.rows:
        written.add(row)
    year = _year_of_day(first.at // DAY_SECONDS) if first.at is not None else None
    name = "\n".join((first.platform, first.channel, first.thread, first.message_id))
    turns, timestamps, ends = written.finished()
    return ConversationRecord(
        hashlib.sha256(name.encode()).hexdigest()[:16],
        Conversation(group.scene, turns, year),
        timestamps,
        first.platform,
        ends,
    )


@lru_cache(1 << 14)  # most messages are of a day that another one is of
def _year_of_day(day: float) -> int:
    return datetime.fromtimestamp(day * DAY_SECONDS, UTC).year


class _Written:
    """The turns of a conversation while its messages are written down: bursts, quotes, reactions, forwards."""

    def __init__(self, group: MessageGroup, people: Mapping[str, KnownPerson], others: str) -> None:
        self._group = group
        self._people = people
        self._others = others
        self._turns = [Turn(SOMEONE, (UNKNOWN,))] if group.lost_parent else []
        self._timestamps: list[float | None] = [None] if group.lost_parent else []
        self._ends = list(self._timestamps)
        self._speaker = ""  # of the turn that is being written
        self._said: tuple[str, ...] = ()  # its lines; those of a single message are that message's own
        self._answered: Quote | None = None  # what it answers
        self._burst: list[Row] = []  # its messages
        self._before: Row | None = None  # the last message before it

    @cached_property
    def _ids(self) -> set[str]:
        return {row.message_id for row in self._group.rows}

    def add(self, row: Row) -> None:
        """Write a message down."""
        person = self._people[row.sender]
        lines = self._lines(row) if row.forwarded_from or self._others == "mask" else row.lines
        if not lines:
            return
        answered = self._quote(row, person) if row.quoted or row.message_id in self._group.answers else None
        if lines[0][:1] == "[" and is_reaction(lines):  # in a transcript of our own
            self._end_turn()
            self._append(Turn(person.key, lines, answered), row.at, row.at)
            return
        if self._speaker != person.key or answered or self._group.scene == "timeline":  # there each turn is a tweet
            self._end_turn()
            self._speaker, self._answered = person.key, answered
        self._said += lines
        self._burst.append(row)

    def finished(self) -> tuple[tuple[Turn, ...], tuple[float | None, ...], tuple[float | None, ...]]:
        """Return all turns, and when the first and the last message of each was said."""
        self._end_turn()
        timestamps, ends = tuple(self._timestamps), tuple(self._ends)
        return tuple(self._turns), timestamps, timestamps if ends == timestamps else ends  # one of both where they can

    def _lines(self, row: Row) -> tuple[str, ...]:
        """What is written of a message. Nobody is imitated in what they only passed on."""
        person = self._people[row.sender]
        if not row.forwarded_from:
            return row.lines if self._is_shown(person) else (UNKNOWN,)
        if person.consent:
            return ()
        author = self._people.get(row.forwarded_from)
        shown = self._is_shown(person) and (author is None or (self._is_shown(author) and not author.dropped))
        return forwarded("" if author is None or author.dropped else author.key, row.lines if shown else (UNKNOWN,))

    def _quote(self, row: Row, person: KnownPerson) -> Quote | None:
        """What a message answers, if a reader doesn't see it: the end of the turn before."""
        answered = self._group.answers.get(row.message_id)
        if not row.quoted and answered is None:
            return None
        is_transcript = row.platform in TRANSCRIPTS
        if row.quoted and (is_transcript or row.reply_to not in self._ids):
            return None if row.quoted.author == row.sender else self._quoted(row.quoted.author, row.quoted.lines)
        if is_transcript or answered is None or self._is_seen(answered, person):
            return None
        return self._quoted(answered.row.sender, answered.row.lines)

    def _is_seen(self, answered: AnsweredRow, person: KnownPerson) -> bool:
        last = self._burst[-1] if self._burst else None
        if self._speaker == person.key:  # who goes on may answer what their turn answers already
            return answered.row is last or answered.row is self._before
        is_in_turn = any(each is answered.row for each in self._burst)
        return answered.row is last or (is_in_turn and not answered.explicit)

    def _quoted(self, author_key: str, lines: Sequence[str]) -> Quote | None:
        """A quote under the name of whoever said it, as far as that may stand."""
        author = self._people.get(author_key)
        if author is None:
            return quote("", lines if self._others == "context" else (UNKNOWN,))
        if author.dropped:
            return quote("", (UNKNOWN,))
        return quote(author.key, lines if self._is_shown(author) else (UNKNOWN,))

    def _end_turn(self) -> None:
        """End the turn that is being written; who reacted to its messages stands after it."""
        burst = self._burst
        self._before = burst[-1] if burst else None
        if not burst:
            return
        self._append(Turn(self._speaker, self._said, self._answered), burst[0].at, burst[-1].at)
        for row in burst:
            if row.reactions:
                target = None if row is burst[-1] else self._quoted(row.sender, row.lines)
                for emoji, person in self._reactions(row):
                    self._append(Turn(person.key, (reaction(emoji),), target))
        self._speaker, self._said, self._burst = "", (), []

    def _reactions(self, row: Row) -> Iterator[tuple[str, KnownPerson]]:
        others = 0
        for emoji, key in row.reactions:
            person = self._people.get(key)
            if person is None or person.dropped or (self._others != "context" and not person.consent):
                continue
            others += not person.consent
            if person.consent or others <= MAX_REACTIONS:
                yield emoji, person

    def _append(self, turn: Turn, began: float | None = None, ended: float | None = None) -> None:
        self._turns.append(turn)
        self._timestamps.append(began)
        self._ends.append(ended)

    def _is_shown(self, person: KnownPerson) -> bool:
        return person.consent or self._others != "mask"
