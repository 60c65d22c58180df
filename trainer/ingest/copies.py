"""One chat in two exports: another format, another name of the group, a contact saved meanwhile. Its messages are kept once.

Overlap is found by content and time: most of what two chats of one platform hold in the same time is the same, a whole
number of quarters of an hour apart (phones in two time zones). Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from trainer.corpus.row import Row
from trainer.people.identities import KnownPerson

MIN_LETTERS = 5  # letters and digits; a shorter text says nothing about where it is from
MIN_COMMON = 3  # different texts; one is enough between two exports of one channel
MIN_RENAMED, RENAMED_SHARE = 2, 0.8  # messages that two senders of a chat both sent, of those of the quieter one
MIN_SHARE = 0.5  # of what the smaller chat holds in the time of both
MIN_UNDATED_SHARE = 0.9  # without dates only the words tell, and friends say the same things again
QUARTER, MAX_QUARTERS = 900.0, 56  # seconds; time zones are at most 14 hours apart
TOLERANCE = 60.0  # seconds; some exports know minutes alone
MAX_CHATS = 8  # in which a text may stand and still say where it is from

_Chat = tuple[str, str, str]  # platform, source, channel


@dataclass(frozen=True, slots=True)
class Copies:
    """What is left of the rows, and how many of one source were in another. dropped: places of rows that were copies."""

    rows: Sequence[Row]
    dropped: frozenset[int]
    overlaps: Mapping[tuple[str, str], int]


def without_copies(rows: Sequence[Row], people: Mapping[str, KnownPerson], old: int = 0) -> Copies:
    """Return each message once; what only a copy of a chat holds moves to that chat.

    old: how many of the rows, at the beginning, earlier imports kept: those stay. Else the export stays that knows more.
    """
    if not (_has_chats(rows) or any(map(_may_be_renamed, rows))):
        return Copies(rows, frozenset(), {})
    chats: dict[_Chat, list[int]] = {}
    for place, row in enumerate(rows):
        if row.conversation_type in ("group", "dm"):
            chats.setdefault((row.platform, row.source, row.channel), []).append(place)
    chats = dict(sorted(chats.items(), key=lambda item: (item[1][0] >= old, -_knowledge(rows, item[1]))))
    dropped: dict[int, int] = {}  # a copy's place -> that of the message that stays
    for places in chats.values():
        dropped |= _renamed(rows, places)
    moved: dict[_Chat, _Chat] = {}
    for (first, second), shift in _overlapping(rows, chats).items():
        while first in moved:
            first = moved[first]
        if first == second or second in moved:
            continue
        moved[second] = first
        places = [place for chat in chats if _home(chat, moved) == first for place in chats[chat] if chat != second]
        left = [place for place in chats[second] if place not in dropped]
        dropped |= _matched(rows, [place for place in places if place not in dropped], left, shift, people)
    if not (dropped or moved):
        return Copies(rows, frozenset(), {})
    senders = _same_people(rows, dropped, people)
    kept: list[Row] = []
    for place, row in enumerate(rows):
        if place not in dropped:
            home = _home((row.platform, row.source, row.channel), moved)
            kept.append(_moved(row, home[2], senders))
    overlaps = Counter((rows[place].source, rows[original].source) for place, original in dropped.items())
    return Copies(kept, frozenset(dropped), overlaps)


def _has_chats(rows: Sequence[Row]) -> bool:
    """Return whether there are several chats, which may hold the same."""
    chats = ((row.platform, row.source, row.channel) for row in rows if row.conversation_type in ("group", "dm"))
    first = next(chats, None)
    return any(chat != first for chat in chats)


def content(row: Row) -> str:
    """Return what a message says, without what formats write differently: case, blanks, punctuation, markup."""
    text = row.text.casefold()
    return "".join(filter(str.isalnum, text)) or text


def _renamed(rows: Sequence[Row], places: Sequence[int]) -> dict[int, int]:
    """Return copies within one chat: by a sender who had no id and another name when it was exported before."""
    said: dict[tuple[str, float], list[int]] = {}
    totals: Counter[str] = Counter()
    for place in places:
        row = rows[place]
        if _may_be_renamed(row) and row.at is not None:
            totals[row.sender] += 1
            said.setdefault((content(row), row.at), []).append(place)
    pairs: dict[tuple[str, str], dict[int, int]] = {}
    for again in said.values():
        for number, place in enumerate(again):
            for other in again[number + 1 :]:
                if rows[place].sender != rows[other].sender:
                    pairs.setdefault((rows[place].sender, rows[other].sender), {})[other] = place
    copies: dict[int, int] = {}
    for (sender, same), matched in pairs.items():
        texts = {content(rows[place]) for place in matched}
        if len(texts) >= MIN_RENAMED and len(matched) >= RENAMED_SHARE * min(totals[sender], totals[same]):
            copies |= matched
    return copies


def _may_be_renamed(row: Row) -> bool:
    """Return whether its sender had no id where it was exported."""
    return ":=" in row.sender


def _knowledge(rows: Sequence[Row], places: Sequence[int]) -> float:
    """Return how much an export knows of its messages: the share with ids of their senders and of what they answer."""
    known = sum((":=" not in rows[place].sender) + bool(rows[place].reply_to) for place in places)
    return known / len(places)


def _home(chat: _Chat, moved: Mapping[_Chat, _Chat]) -> _Chat:
    while chat in moved:
        chat = moved[chat]
    return chat


def _moved(row: Row, channel: str, senders: Mapping[str, str]) -> Row:
    quoted = row.quoted and replace(row.quoted, author=senders.get(row.quoted.author, row.quoted.author))
    people: dict[str, Any] = {
        "sender": senders.get(row.sender, row.sender),
        "quoted": quoted,
        "forwarded_from": senders.get(row.forwarded_from, row.forwarded_from),
        "reactions": tuple((emoji, senders.get(key, key)) for emoji, key in row.reactions),
    }
    if channel == row.channel and all(getattr(row, name) == key for name, key in people.items()):
        return row
    return replace(row, channel=channel, **people)


def _overlapping(rows: Sequence[Row], chats: Mapping[_Chat, Sequence[int]]) -> dict[tuple[_Chat, _Chat], float]:
    """Return the pairs of chats that hold the same talk, the earlier first, with the seconds the second is ahead."""
    if len({platform for platform, _, _ in chats}) == len(chats):
        return {}
    said: dict[tuple[str, int], dict[_Chat, float | None]] = {}
    for chat, places in chats.items():
        is_dated = (
            len({rows[place].at for place in places}) > 1
        )  # a transcript's messages have the year's time, all of them
        for place in places:
            text = content(rows[place])
            if len(text) >= MIN_LETTERS:
                said.setdefault((chat[0], hash(text)), {}).setdefault(chat, rows[place].at if is_dated else None)
    common: Counter[tuple[_Chat, _Chat, int | None]] = Counter()
    for where in said.values():
        if 1 < len(where) <= MAX_CHATS:
            chats_at = list(where.items())
            for number, (first, at) in enumerate(chats_at):
                for second, later in chats_at[number + 1 :]:
                    common[first, second, _quarters(at, later)] += 1
    overlapping: dict[tuple[_Chat, _Chat], float] = {}
    for (first, second, quarters), count in common.most_common():
        enough = 1 if first[2] == second[2] else MIN_COMMON
        if quarters == _APART or count < enough or (first, second) in overlapping:
            continue
        shift = QUARTER * (quarters or 0)
        share = MIN_UNDATED_SHARE if quarters is None else MIN_SHARE
        if count >= share * _smaller(rows, chats[first], chats[second], shift):
            overlapping[first, second] = shift
    return overlapping


_APART = MAX_QUARTERS + 1


def _quarters(at: float | None, later: float | None) -> int | None:
    """Return how many quarters of an hour lie between two times; `_APART` if that is no time zone; None without times."""
    if at is None or later is None:
        return None if at is later else _APART
    quarters = round((later - at) / QUARTER)
    near = abs(later - at - quarters * QUARTER) <= TOLERANCE and abs(quarters) <= MAX_QUARTERS
    return quarters if near else _APART


def _smaller(rows: Sequence[Row], first: Sequence[int], second: Sequence[int], shift: float) -> int:
    """Return how many different long texts the smaller of two chats holds in the time of both."""
    spans = []
    for places, ahead in ((first, 0.0), (second, shift)):
        times = [at - ahead for place in places if (at := rows[place].at) is not None]
        spans.append((min(times), max(times)) if times else None)
    counts = []
    for places, ahead in ((first, 0.0), (second, shift)):
        texts: set[str] = set()
        for place in places:
            at, text = rows[place].at, content(rows[place])
            inside = at is None or all(
                span is None or span[0] - TOLERANCE <= at - ahead <= span[1] + TOLERANCE for span in spans
            )
            if inside and len(text) >= MIN_LETTERS:
                texts.add(text)
        counts.append(len(texts))
    return min(counts)


def _matched(
    rows: Sequence[Row], first: Sequence[int], second: Sequence[int], shift: float, people: Mapping[str, KnownPerson]
) -> dict[int, int]:
    """Return the places in `second` of messages that stand in `first`, with where they stand."""
    waiting: dict[str, list[int]] = {}
    for place in first:
        waiting.setdefault(content(rows[place]), []).append(place)
    matched: dict[int, int] = {}
    for place in second:
        row = rows[place]
        near = [
            (people[rows[other].sender].key != people[row.sender].key, distance, other)
            for other in waiting.get(content(row), ())
            if (distance := _distance(rows[other], row, shift)) <= TOLERANCE
        ]
        if near:
            original = min(near)[2]
            waiting[content(row)].remove(original)
            matched[place] = original
    return matched | _rewritten(rows, first, second, shift, people, matched)


def _rewritten(
    rows: Sequence[Row],
    first: Sequence[int],
    second: Sequence[int],
    shift: float,
    people: Mapping[str, KnownPerson],
    matched: Mapping[int, int],
) -> dict[int, int]:
    """Return the same for messages that the two exports write differently: of one speaker in one second."""
    taken = set(matched.values())
    said = {
        (people[row.sender].key, round(row.at)): place
        for place in first
        if place not in taken and (row := rows[place]).at is not None and row.at % 60
    }
    again: dict[int, int] = {}
    for place in second:
        row = rows[place]
        moment = (people[row.sender].key, round(row.at - shift)) if row.at is not None else None
        if place not in matched and moment in said:
            again[place] = said.pop(moment)
    return again


def _distance(row: Row, other: Row, shift: float) -> float:
    if row.at is None or other.at is None:
        return 0.0 if row.at is other.at else TOLERANCE + 1
    return abs(other.at - shift - row.at)


def _same_people(rows: Sequence[Row], dropped: Mapping[int, int], people: Mapping[str, KnownPerson]) -> dict[str, str]:
    """Return who was renamed between copies: identity key -> that of the same person. Whoever may be imitated stays."""
    pairs = Counter((rows[original].sender, rows[place].sender) for place, original in dropped.items())
    renamed: dict[str, str] = {}
    for (sender, copied), count in pairs.most_common():
        if people[sender].key == people[copied].key or 2 * count <= sum(
            other for (_, key), other in pairs.items() if key == copied
        ):
            continue
        keep, gone = (copied, sender) if people[copied].consent and not people[sender].consent else (sender, copied)
        if keep not in renamed and gone not in renamed and not people[gone].consent:
            renamed[gone] = keep
    return renamed
