"""The conversations of a corpus as transcripts: turns of bursts, quotes, reactions, forwards. Pure."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache

import msgspec

from persona.markers import forwarded, is_reaction, reaction
from persona.names import SOMEONE
from persona.transcript import UNKNOWN, Conversation, Quote, Turn, quote
from trainer.corpus.row import TRANSCRIPTS, Row
from trainer.corpus.segmentation import AnsweredRow, MessageGroup, segment
from trainer.people.identities import KnownPerson

DAY_SECONDS = 86400
MAX_REACTIONS = 2  # to one message, of people who are not imitated: a crowd's would fill the context


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
