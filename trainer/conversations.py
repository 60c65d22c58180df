"""Messages to conversations: reply links and threads in feeds, an adaptive time gap in chats. Pure."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise

from persona.names import SOMEONE
from persona.transcript import UNKNOWN, Conversation, Turn
from trainer.people import Person

SHORTEST_GAP, LONGEST_GAP = 10 * 60.0, 12 * 3600.0  # seconds; what the rhythm of a channel may make of the gap
LONGEST_UNDATED = 32  # turns; a text without dates has no gaps to part it by
LONGEST_DATED = 400  # turns; a group that never pauses is parted somewhere


@dataclass(frozen=True, slots=True)
class Row:
    """A message of the corpus. sender: an identity key (see people). at: UTC seconds."""

    platform: str
    source: str
    channel: str
    kind: str
    message_id: str
    sender: str
    at: float | None
    lines: tuple[str, ...]
    reply_to: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A conversation of the corpus: its transcript, and when each turn was said. id: stable over imports."""

    id: str
    conversation: Conversation
    ats: tuple[float | None, ...]
    platform: str


def stretches(rows: Sequence[Row], people: Mapping[str, Person], *, others: str, gap: float = 0) -> Iterator[Stretch]:
    """The conversations of all rows. others: "context", "mask" or "drop" for people without consent. gap: seconds of
    silence that end a conversation, 0 = learned from each channel."""
    kept = [row for row in rows if not people[row.sender].dropped and (others != "drop" or people[row.sender].consent)]
    for place, group in groupby(sorted(kept, key=_place), key=_place):
        here = list(group)
        found = _of_feed(here) if place[0] == "feed" else _of_chat(here, gap)
        yield from (_stretch(part, people, mask=others == "mask") for part in found)


def _place(row: Row) -> tuple[str, ...]:
    """What is read in one go: a platform's feed over all authors, else one channel or thread."""
    match row.kind:
        case "feed":
            return ("feed", row.platform)
        case "channel":
            return ("feed", row.platform, row.channel)
    return (row.kind, row.platform, row.channel, row.thread)


@dataclass(frozen=True, slots=True)
class _Part:
    scene: str
    rows: list[Row]
    lost_parent: bool = False


def _of_chat(rows: list[Row], gap: float) -> Iterator[_Part]:
    scene = "dm" if rows[0].kind == "dm" else "group"
    dated = all(row.at is not None for row in rows)
    if dated:
        rows = sorted(rows, key=lambda row: row.at or 0.0)
    silence = gap or _learned_gap(
        [later.at - row.at for row, later in pairwise(rows) if row.at is not None and later.at is not None]
    )
    longest = LONGEST_DATED if dated else LONGEST_UNDATED
    part: list[Row] = []
    ids: set[str] = set()
    turns = 0
    for row in rows:
        pause = bool(part) and row.at is not None and part[-1].at is not None and row.at - part[-1].at > silence
        turns += not part or row.sender != part[-1].sender
        if part and ((pause and row.reply_to not in ids) or turns > longest):
            yield _Part(scene, part)
            part, ids, turns = [], set(), 1
        part.append(row)
        ids.add(row.message_id)
    yield _Part(scene, part)


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
    return min(max(math.exp(threshold) - 1, SHORTEST_GAP), LONGEST_GAP)


def _of_feed(rows: list[Row]) -> Iterator[_Part]:
    """Trees of replies: one author's alone are a thread of the timeline, any other is a reply scene."""
    by_id = {row.message_id: row for row in rows}
    trees: dict[str, list[Row]] = {}
    for row in rows:
        trees.setdefault(_root(row, by_id).message_id, []).append(row)
    for root, members in trees.items():
        tree = sorted(members, key=lambda row: (row.at or 0.0, row.message_id != root))
        lost = bool(by_id[root].reply_to)
        alone = len({row.sender for row in tree}) == 1
        yield _Part("timeline" if alone and not lost else "reply", tree, lost)


def _root(row: Row, by_id: Mapping[str, Row]) -> Row:
    seen = {row.message_id}
    while (parent := by_id.get(row.reply_to)) and parent.message_id not in seen:
        row = parent
        seen.add(row.message_id)
    return row


def _stretch(part: _Part, people: Mapping[str, Person], mask: bool) -> Stretch:
    first = part.rows[0]
    turns = [Turn(SOMEONE, (UNKNOWN,))] if part.lost_parent else []
    ats: list[float | None] = [None] if part.lost_parent else []
    for row in part.rows:
        person = people[row.sender]
        lines = (UNKNOWN,) if mask and not person.consent else row.lines
        if turns and turns[-1].speaker == person.key and part.scene != "timeline":  # there each turn is a tweet
            turns[-1] = Turn(person.key, turns[-1].lines + lines)
        else:
            turns.append(Turn(person.key, lines))
            ats.append(row.at)
    year = datetime.fromtimestamp(first.at, UTC).year if first.at is not None else None
    name = "\n".join((first.platform, first.channel, first.thread, first.message_id))
    conversation = Conversation(part.scene, tuple(turns), year)
    return Stretch(hashlib.sha256(name.encode()).hexdigest()[:16], conversation, tuple(ats), first.platform)
