"""Messages to conversations: reply links first, then mentions, then the rhythm of the channel. Pure."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise

import msgspec

from persona.names import SOMEONE
from persona.transcript import UNKNOWN, Conversation, Turn
from trainer.people.identities import KnownPerson

MIN_GAP_SECONDS, MAX_GAP_SECONDS = 10 * 60.0, 12 * 3600.0  # bounds of the gap learned from a channel's rhythm
REPLY_REACH_SECONDS = 7 * 86400.0  # how far back a reply link joins a message to a conversation that had ended
MENTION_REACH_GAPS = 4  # so does a mention of somebody who spoke in it
BURST_SECONDS = 120.0  # whoever spoke so lately goes on where they spoke (WeClone joins within 2 minutes too)
MAX_UNDATED_TURNS = 32  # a text without dates has no gaps to cut it at
MAX_DATED_TURNS = 400  # a group that never pauses is cut somewhere


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message of the corpus. sender, quoted_by: identity keys (see people); mentions: of whom it addresses. at: UTC
    seconds. quoted: words it answers that stand in no message of their own."""

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
    quoted: tuple[str, ...] = ()
    quoted_by: str = ""
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """The messages of one conversation, in order. lost_parent: it answers what is not there."""

    scene: str
    rows: Sequence[Row]
    lost_parent: bool = False


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation of the corpus: its transcript, and when each turn was said. id: stable over imports."""

    id: str
    conversation: Conversation
    timestamps: tuple[float | None, ...]
    platform: str


def conversation_records(
    rows: Sequence[Row], people: Mapping[str, KnownPerson], *, others: str, gap: float = 0
) -> Iterator[ConversationRecord]:
    """Return the conversations of all rows. others: "context", "mask" or "drop" for people without consent. gap: seconds of
    silence that end a conversation, 0 = learned from each channel."""
    kept = [row for row in rows if not people[row.sender].dropped and (others != "drop" or people[row.sender].consent)]
    return (_record(group, people, others) for group in segment(kept, people, gap))


def segment(rows: Sequence[Row], people: Mapping[str, KnownPerson], gap: float = 0) -> Iterator[MessageGroup]:
    """Yield the rows of each conversation."""
    for channel, group in groupby(sorted(rows, key=_channel_key), key=_channel_key):
        here = list(group)
        yield from _of_feed(here) if channel[0] == "feed" else _of_chat(here, people, gap)


def _channel_key(row: Row) -> tuple[str, ...]:
    """What is read in one go: a platform's feed over all authors, else one channel or thread."""
    match row.conversation_type:
        case "feed":
            return ("feed", row.platform)
        case "channel":
            return ("feed", row.platform, row.channel)
    return (row.conversation_type, row.platform, row.channel, row.thread)


@dataclass(slots=True)
class _Open:
    """A conversation of a chat while it goes on. spoke: when each speaker last did. at: the last message's time."""

    rows: list[Row] = field(default_factory=list)
    spoke: dict[str, float] = field(default_factory=dict)
    at: float = 0.0
    turns: int = 0

    def has_room(self, row: Row, longest: int) -> bool:
        """Return whether `row` may still be said here."""
        return self.turns < longest or self.rows[-1].sender == row.sender

    def add(self, row: Row, at: float, speaker: str) -> None:
        """Say `row` here."""
        self.turns += not self.rows or self.rows[-1].sender != row.sender
        self.rows.append(row)
        self.at = self.spoke[speaker] = at


def in_order(rows: Sequence[Row]) -> list[tuple[Row, float]]:
    """Return messages by time, each with the time it is taken to be of.

    An undated one stays beside its neighbours: it is taken to be of the time of the one before it, else of the next dated
    one. 0.0 if none has a date: then the order stays.
    """
    at = next((row.at for row in rows if row.at is not None), 0.0)
    timed: list[tuple[Row, float]] = []
    for row in rows:
        at = row.at if row.at is not None else at
        timed.append((row, at))
    return sorted(timed, key=lambda pair: pair[1])


def _of_chat(rows: Sequence[Row], people: Mapping[str, KnownPerson], gap: float) -> Iterator[MessageGroup]:
    scene = "dm" if rows[0].conversation_type == "dm" else "group"
    timed = in_order(rows)
    silence = gap or _learned_gap([later - earlier for (_, earlier), (_, later) in pairwise(timed)])
    dated = sum(row.at is not None for row in rows)
    longest = MAX_DATED_TURNS if 2 * dated > len(rows) else MAX_UNDATED_TURNS
    conversations: list[_Open] = []
    recent: list[_Open] = []  # the latest to have been spoken in comes last
    of_message: dict[str, _Open] = {}
    for row, at in timed:
        speaker = people[row.sender].key
        recent = [talk for talk in recent if at - talk.at <= silence * MENTION_REACH_GAPS] if dated else recent[-1:]
        near = [talk for talk in recent if talk.has_room(row, longest)]
        parent = _by_reply(row, at, of_message)
        here = parent if parent and parent.has_room(row, longest) else None
        here = here or _by_mention(row, near, people) or _by_time(at, speaker, near, silence)
        if here is None:
            here = _Open()
            conversations.append(here)
        here.add(row, at, speaker)
        of_message[row.message_id] = here
        recent = [*(talk for talk in recent if talk is not here), here]
    return (MessageGroup(scene, talk.rows) for talk in conversations)


def _by_reply(row: Row, at: float, of_message: Mapping[str, _Open]) -> _Open | None:
    """Return where the message it answers stands, if that is not too long ago."""
    parent = of_message.get(row.reply_to)
    return parent if parent and at - parent.at <= REPLY_REACH_SECONDS else None


def _by_mention(row: Row, recent: Sequence[_Open], people: Mapping[str, KnownPerson]) -> _Open | None:
    """Return where somebody it addresses spoke last."""
    meant = [people[key].key for key in row.mentions if key in people]
    spoken = [(talk.spoke[key], place) for place, talk in enumerate(recent) for key in meant if key in talk.spoke]
    return recent[max(spoken)[1]] if spoken else None


def _by_time(at: float, speaker: str, recent: Sequence[_Open], silence: float) -> _Open | None:
    """Return where its sender is in the middle of a burst, else where somebody spoke last, unless silence lies between."""
    lasting = [talk for talk in recent if at - talk.at <= silence]
    own = [talk for talk in lasting if at - talk.spoke.get(speaker, -math.inf) <= BURST_SECONDS]
    near = own or lasting
    return near[-1] if near else None


def _learned_gap(gaps: Sequence[float]) -> float:
    """The silence that parts one conversation from the next, from the channel's own rhythm: Otsu's threshold (1979) on
    the logarithm of the gaps, which fall into two heaps, inside and between conversations."""
    logs = sorted(math.log(gap + 1) for gap in gaps)
    best, threshold, total, seen = -1.0, 0.0, sum(logs), 0.0
    for count, (value, following) in enumerate(pairwise(logs), start=1):
        seen += value
        rest = len(logs) - count
        between = count * rest * (seen / count - (total - seen) / rest) ** 2
        if between > best:
            best, threshold = between, (value + following) / 2
    return min(max(math.exp(threshold) - 1, MIN_GAP_SECONDS), MAX_GAP_SECONDS)


def _of_feed(rows: list[Row]) -> Iterator[MessageGroup]:
    """Trees of replies: one author's alone are a thread of the timeline, any other is a reply scene."""
    by_id = {row.message_id: row for row in rows}
    trees: dict[str, list[Row]] = {}
    for row in rows:
        trees.setdefault(_root(row, by_id).message_id, []).append(row)
    for root, members in trees.items():
        tree = [row for row, _ in in_order(sorted(members, key=lambda row: row.message_id != root))]
        first = by_id[root]
        answers = bool(first.reply_to or first.quoted)
        alone = len({row.sender for row in tree}) == 1
        yield MessageGroup("timeline" if alone and not answers else "reply", tree, answers and not first.quoted)


def _root(row: Row, by_id: Mapping[str, Row]) -> Row:
    seen = {row.message_id}
    while (parent := by_id.get(row.reply_to)) and parent.message_id not in seen:
        row = parent
        seen.add(row.message_id)
    return row


def _record(group: MessageGroup, people: Mapping[str, KnownPerson], others: str) -> ConversationRecord:
    first = group.rows[0]
    turns = [Turn(SOMEONE, (UNKNOWN,))] if group.lost_parent else []
    timestamps: list[float | None] = [None] if group.lost_parent else []
    ids = {row.message_id for row in group.rows}
    for row in group.rows:
        if row.quoted and row.reply_to not in ids and row.quoted_by != row.sender:
            turns.append(_quotation(row, people, others))
            timestamps.append(None)
        person = people[row.sender]
        lines = (UNKNOWN,) if others == "mask" and not person.consent else row.lines
        if turns and turns[-1].speaker == person.key and group.scene != "timeline":  # there each turn is a tweet
            turns[-1] = Turn(person.key, turns[-1].lines + lines)
        else:
            turns.append(Turn(person.key, lines))
            timestamps.append(row.at)
    year = datetime.fromtimestamp(first.at, UTC).year if first.at is not None else None
    name = "\n".join((first.platform, first.channel, first.thread, first.message_id))
    conversation = Conversation(group.scene, tuple(turns), year)
    return ConversationRecord(
        hashlib.sha256(name.encode()).hexdigest()[:16], conversation, tuple(timestamps), first.platform
    )


def _quotation(row: Row, people: Mapping[str, KnownPerson], others: str) -> Turn:
    """The words a message answers, under the name of whoever said them, as far as that may stand."""
    author = people.get(row.quoted_by)
    if author is None or author.dropped:
        return Turn(SOMEONE, (UNKNOWN,) if author or others != "context" else row.quoted)
    return Turn(author.key, row.quoted if author.consent or others == "context" else (UNKNOWN,))
