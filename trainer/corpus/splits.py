"""Which conversations are trained on and which are held out. Pure; held out once is held out for ever.

Content decides: a copy of a conversation that slipped in from another export falls on the same side.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import combinations, islice
from struct import unpack

import numpy as np

from trainer.corpus.conversation_records import ConversationRecord
from trainer.people.text_scan import TEXTS_AT_ONCE, CharacterClasses, Folding, TextScan

TRAIN, CALIBRATION_SPLIT, TEST_SPLIT = "train", "a", "b"  # as corpora on disk name them
HELD_OUT_SHARE, MAX_HELD_OUT = 0.1, 500  # of a speaker's messages, for each held-out split
MIN_MESSAGES_TO_HOLD_OUT = 20  # whoever said less is not held out
MIN_LETTERS = 16  # letters and digits of a message by which copies are known; shorter ones are habits
COPIED_SHARE = 0.5  # of the long messages of the smaller conversation
MAX_COPIED_SHARE = 0.25  # of a split that one group of copies may be: larger ones are trained on together
MAX_TOLD_APART = 8  # conversations that a message may stand in and still tell copies


def assign_splits(
    conversations: Sequence[ConversationRecord],
    targets: Collection[str],
    before: Mapping[str, str],
    share: float = HELD_OUT_SHARE,
) -> dict[str, str]:
    """Return the split of each conversation, by its id. targets: the speakers who are judged. before: what earlier imports
    decided; held out stays held out. share: of a speaker's messages, for each held-out split."""
    counted: dict[
        tuple[tuple[str, int], ...], dict[str, int]
    ] = {}  # one for all conversations in which as much is said
    said = [counted.setdefault(tuple(counts.items()), counts) for counts in _counts(conversations, targets)]
    total = _sum(said)
    quota = {
        speaker: min(share * count, MAX_HELD_OUT)
        for speaker, count in total.items()
        if count >= MIN_MESSAGES_TO_HOLD_OUT
    }
    prints = _fingerprints(conversations)
    splits = {record.id: before.get(record.id, TRAIN) for record in conversations}
    copies = _copies(prints)
    for members in copies.values():  # what was held out draws its copies along
        held_out = sorted({splits[conversations[place].id] for place in members} - {TRAIN})
        for place in members if held_out else ():
            if splits[conversations[place].id] == TRAIN:
                splits[conversations[place].id] = held_out[-1]
    copied = {place for members in copies.values() for place in members[1:]}
    firsts = [place for place in range(len(conversations)) if place not in copied]  # of most there is no copy
    by_hash = sorted(firsts, key=lambda place: _draw(prints, copies.get(place) or (place,)))
    for split, order in ((CALIBRATION_SPLIT, by_hash), (TEST_SPLIT, by_hash[::-1])):
        held = _sum(said[place] for place, record in enumerate(conversations) if splits[record.id] == split)
        needed = {speaker for speaker, count in quota.items() if held.get(speaker, 0) < count}
        for place in order:
            if not needed:
                break
            members = copies.get(place) or [place]
            if splits[conversations[members[0]].id] != TRAIN:
                continue
            own = _sum(said[place] for place in members)
            most = 2.0 if len(members) == 1 else MAX_COPIED_SHARE
            if not needed.isdisjoint(own) and not _is_too_much(own, quota, most):
                splits.update((conversations[place].id, split) for place in members)
                for speaker, count in own.items():
                    held[speaker] = held.get(speaker, 0) + count
                needed = {speaker for speaker in needed if held.get(speaker, 0) < quota[speaker]}
    return splits


def _is_too_much(counts: Mapping[str, int], quota: Mapping[str, float], most: float) -> bool:
    """Return whether a group holds more than `most` times what a split may hold of some speaker."""
    return any(count > most * quota[speaker] + 5 for speaker, count in counts.items() if speaker in quota)


@dataclass(frozen=True, slots=True)
class _Fingerprints:
    """Hashes of conversations, by content alone. digests: of their long messages (of all one holds, if none is long), each
    once, one conversation's after another's; sizes: how many of each, least: the least of each. wholes: of all it holds."""

    digests: "array[int]" = field(default_factory=lambda: array("Q"))
    sizes: "array[int]" = field(default_factory=lambda: array("Q"))
    least: "array[int]" = field(default_factory=lambda: array("Q"))
    wholes: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, texts: Sequence[bytes]) -> None:
        """Take the contents of a conversation."""
        if len(texts) == 1:  # as most of a timeline
            least = whole = _hash(texts[0])
            self.digests.append(whole)
            self.sizes.append(1)
        else:
            telling = list(filter(_is_telling, texts)) or [b"".join(texts)]
            hashes = b"".join([blake2b(text, digest_size=8).digest() for text in telling])
            digests = set(unpack(f">{len(telling)}Q", hashes))
            least, whole = min(digests), _hash(b"\n".join(texts))
            self.digests.extend(digests)
            self.sizes.append(len(digests))
        self.least.append(least)
        self.wholes.append(whole)


def _fingerprints(conversations: Sequence[ConversationRecord]) -> _Fingerprints:
    """Return the hashes of all conversations, in order."""
    prints = _Fingerprints()
    for some in _batches(conversations):
        contents = iter(
            _contents([line for record in some for turn in record.conversation.turns for line in turn.lines])
        )
        for record in some:
            prints.add(list(islice(contents, sum([len(turn.lines) for turn in record.conversation.turns]))))
    return prints


def _batches(conversations: Sequence[ConversationRecord]) -> Iterator[Sequence[ConversationRecord]]:
    """Yield neighbouring conversations, with as many turns together as a scan should hold."""
    begin = turns = 0
    for end, record in enumerate(conversations, start=1):
        turns += len(record.conversation.turns)
        if turns >= TEXTS_AT_ONCE or end == len(conversations):
            yield conversations[begin:end]
            begin, turns = end, 0


def _contents(lines: Sequence[str]) -> list[bytes]:
    """Return messages without case, blanks and punctuation, which formats write differently."""
    bare = TextScan(lines, _CASEFOLD).without(_NO_LETTERS)
    return [content or line.casefold().encode() for content, line in zip(bare, lines, strict=True)]


_CASEFOLD = Folding(str.casefold)
_NO_LETTERS = CharacterClasses(lambda char: not char.isalnum())


def _is_telling(content: bytes) -> bool:
    """Return whether a message is long enough to tell copies."""
    if len(content) >= 4 * MIN_LETTERS:  # a letter takes four bytes at most
        return True
    return len(content) >= MIN_LETTERS and (content.isascii() or len(content.decode()) >= MIN_LETTERS)


def _hash(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest())


def _draw(prints: _Fingerprints, places: Sequence[int]) -> int:
    """Return the place in the draw of a conversation and its copies. The least hash of many messages is a small number: hashed
    once more, so that long conversations don't all come first."""
    return _hash(str(min((prints.least[place], prints.wholes[place]) for place in places)).encode())


def _copies(prints: _Fingerprints) -> dict[int, list[int]]:
    """Return the places of conversations that are copies of each other, the same or sharing most of what they say, in order
    and by the first of them."""
    shared: Counter[tuple[int, int]] = Counter()
    sizes = prints.sizes
    if sizes:
        digests = np.frombuffer(prints.digests, np.uint64)
        places = np.repeat(np.arange(len(sizes)), np.frombuffer(sizes, np.uint64).astype(np.int64))
        order = np.argsort(digests, kind="stable")
        digests, places = digests[order], places[order]
        starts = np.flatnonzero(np.concatenate(([True], digests[1:] != digests[:-1])))
        spans = np.diff(np.append(starts, len(digests)))
        for start, size in zip(starts[spans > 1].tolist(), spans[spans > 1].tolist(), strict=True):
            if size <= MAX_TOLD_APART:
                shared.update(combinations(places[start : start + size].tolist(), 2))
    above: dict[int, int] = {}  # of those that were joined to another one

    def root(place: int) -> int:
        while (parent := above.get(place, place)) != place:
            above[place] = place = above.get(parent, parent)
        return place

    def join(first: int, second: int) -> None:
        one, other = root(first), root(second)
        if one != other:
            above[other] = one

    _, firsts, numbers = np.unique(np.frombuffer(prints.wholes, np.uint64), return_index=True, return_inverse=True)
    same = firsts[numbers]
    for place in np.flatnonzero(same != np.arange(len(same))).tolist():
        join(int(same[place]), place)
    for (first, second), count in shared.items():
        if count >= COPIED_SHARE * min(sizes[first], sizes[second]):
            join(first, second)
    joined = sorted({place for pair in above.items() for place in pair})
    groups: dict[int, list[int]] = {}
    for place in joined:
        groups.setdefault(root(place), []).append(place)
    return {members[0]: members for members in groups.values()}


def _counts(conversations: Iterable[ConversationRecord], targets: Collection[str]) -> Iterator[dict[str, int]]:
    """Yield how many messages of each target are in each conversation."""
    for record in conversations:
        counts: dict[str, int] = {}
        for turn in record.conversation.turns:
            if turn.speaker in targets:
                counts[turn.speaker] = counts.get(turn.speaker, 0) + len(turn.lines)
        yield counts


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counted in counts:
        for speaker, count in counted.items():
            total[speaker] = total.get(speaker, 0) + count
    return total
