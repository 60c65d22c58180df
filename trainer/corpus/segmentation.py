"""Messages by conversation: the threads of a chat (persona.threads), the trees of replies of a feed. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import le
from types import MappingProxyType
from typing import NamedTuple

from persona.threads import Rhythm, ThreadFinder, named_in, rhythm_of
from trainer.corpus.row import UNKNOWN_PARENT, Row
from trainer.people.identities import KnownPerson

MAX_UNDATED_TURNS = 32  # a text without dates has no gaps to cut it at
MAX_RHYTHM_MESSAGES = 4096  # of a channel, evenly spaced: so many tell whether people say whom they mean
MAX_DATED_TURNS = 400  # a group that never pauses is cut somewhere


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
