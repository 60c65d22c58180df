"""Messages said nearly the same again by the same person. Short habits ("good morning") keep their frequency: they are the
voice; long texts said ten times over are what a model recites (Kandpal and others, arXiv 2202.06539).

Messages are compared by the sets of their shingles. Two sets alike enough share one of their few rarest members (PPJoin:
Xiao and others, TODS 2011), and their 64-bit sketches differ in few bits; those few pairs are compared exactly.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from persona.word_tokens import folded, is_cjk, word_tokens
from trainer.corpus.row import Row
from trainer.people.text_scan import (
    ALONE,
    DROPPED,
    LETTER,
    SEPARATOR,
    CharacterClasses,
    Folding,
    TextScan,
    chunks,
    mixed,
)

MIN_WORDS = 8  # shorter messages are habits
MIN_ASCII = 2 * MIN_WORDS - 1  # characters of so many words
MIN_SIMILARITY = 0.8  # Jaccard similarity of shingles
_TOGETHER = 1 << 14  # messages at least, of one speaker or of many, that are compared in one go
_CROWD = 32  # messages that share a rare shingle, from which on two count; or two, from which on each is compared with those kept
_DIFFERENCE = (1 - MIN_SIMILARITY) / (1 + MIN_SIMILARITY)  # at most, of the sizes of two such sets together
_COUNTED_AT_ONCE = 1 << 20  # shingles
_HASH_BITS, _BUCKET_BITS, _COMMON_BITS = 32, 18, 5  # of a shingle; of those counted as one; of how common it is


def repeated(rows: Sequence[Row], speaker: Callable[[Row], str]) -> Iterator[int]:
    """Yield the places in `rows` of messages that say nearly what the same speaker said at an earlier place."""
    numbers: dict[str, int] = {}
    speakers = np.fromiter((numbers.setdefault(speaker(row), len(numbers)) for row in rows), np.int64, len(rows))
    order = np.argsort(speakers, kind="stable")
    begin = 0
    for end in np.cumsum(np.bincount(speakers)).tolist() if rows else ():
        if end - begin >= _TOGETHER or end == len(rows):
            yield from _repeated(rows, order[begin:end], speakers[order[begin:end]])
            begin = end


def _repeated(rows: Sequence[Row], places: np.ndarray, speakers: np.ndarray) -> Iterator[int]:
    """Yield the same of some speakers. places: of their messages, each speaker's in order. speakers: who said each."""
    sets = _ShingleSets(rows, places, speakers)
    earlier, crowded = sets.alike()
    again: set[int] = set()
    kept: dict[int, list[int]] = {}  # by what they share with a crowd
    shingles: dict[int, frozenset[str]] = {}
    for number in sorted(earlier.keys() | crowded.keys()):
        others = {other for other in earlier.get(number, ()) if other not in again}
        for key in crowded.get(number, ()):
            others.update(sets.near(number, kept.get(key, ())))
        for other in {number, *others} if others else ():
            if other not in shingles:
                shingles[other] = _shingles(rows[sets.places[other]])
        if any(_jaccard(shingles[number], shingles[other]) >= MIN_SIMILARITY for other in others):
            again.add(number)
        else:
            for key in crowded.get(number, ()):
                kept.setdefault(key, []).append(number)
    yield from sorted([sets.places[number] for number in again] + sets.copies)


class _ShingleSets:
    """The sets of shingles of long messages, one of each. places: of those messages, by number. copies: of messages with
    the set of an earlier one."""

    def __init__(self, rows: Sequence[Row], places: np.ndarray, speakers: np.ndarray) -> None:
        counts, shingles = _shingled([rows[place] for place in places.tolist()])
        long = counts > 0
        places, said, counts = places[long], mixed(speakers[long].astype(np.uint64)), counts[long]
        common, begins = _commonness(shingles), np.append(0, np.cumsum(counts))
        some = [
            _RareMembers(
                counts[chunk], shingles[begins[chunk.start] : begins[chunk.stop]], common, said[chunk], chunk.start
            )
            for chunk in chunks(len(counts))
        ]
        del shingles
        first = _first_of_each(_joined([members.sums for members in some]))
        self.places: list[int] = places.tolist()
        self.copies: list[int] = places[~first].tolist()
        self._sizes = _joined([members.sizes for members in some])
        self._bits = _joined([members.bits for members in some])
        stays = first[_joined([members.owners for members in some])]
        self._owners = _joined([members.owners for members in some])[stays]
        self._is_rare = _joined([members.is_rare for members in some])[stays].astype(np.bool_)
        self._is_rarest = _joined([members.is_rarest for members in some])[stays].astype(np.bool_)
        self._keys = _joined([members.keys for members in some])[stays]

    def alike(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """Return, by number, earlier messages that each may repeat; and the keys that each shares with a crowd."""
        earlier: dict[int, list[int]] = {}
        rare = self._is_rare
        owners, keys = self._compare(self._owners[rare], self._keys[rare], self._is_rarest[rare], earlier)
        if len(owners):  # a shingle that many share tells little, two of them much more
            owners, keys = self._pairs(owners)
            owners, keys = self._compare(owners, keys, np.ones(len(keys), np.bool_), earlier)
        crowded: dict[int, list[int]] = {}
        for owner, key in zip(owners.tolist(), keys.tolist(), strict=True):
            crowded.setdefault(owner, []).append(key)
        return earlier, crowded

    def _compare(
        self, owners: np.ndarray, keys: np.ndarray, is_rarest: np.ndarray, earlier: dict[int, list[int]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Add to `earlier` those who share a key and may be alike: of two such, it is among the rarest of the smaller set.
        Returns the owners and the keys of crowds."""
        order = np.argsort(keys)
        keys, owners, is_rarest = keys[order], owners[order], is_rarest[order]
        begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
        runs = np.diff(np.append(begins, len(keys)))
        in_crowd = np.repeat(runs > _CROWD, runs)
        if len(begins):
            in_crowd &= np.repeat(np.logical_or.reduceat(is_rarest, begins), runs)
        left = np.flatnonzero(np.repeat((runs > 1) & (runs <= _CROWD), runs))
        for shift in range(1, _CROWD):
            left = left[left + shift < len(keys)]
            left = left[keys[left] == keys[left + shift]]
            one, other = owners[left], owners[left + shift]
            rarest = np.where(self._sizes[one] <= self._sizes[other], is_rarest[left], is_rarest[left + shift])
            near = self._near(one, other) & rarest
            for first, second in zip(one[near].tolist(), other[near].tolist(), strict=True):
                earlier.setdefault(max(first, second), []).append(min(first, second))
        return owners[in_crowd], keys[in_crowd]

    def _pairs(self, crowd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a key for each two rare members of these messages, with its owner: sets alike enough share one."""
        is_in = np.zeros(len(self._sizes), np.bool_)
        is_in[crowd] = True
        stays = is_in[self._owners]
        owners, keys = self._owners[stays], self._keys[stays]
        left, pairs, whose = np.arange(len(owners)), [keys[:0]], [owners[:0]]
        for shift in range(1, len(owners)):
            left = left[left + shift < len(owners)]
            left = left[owners[left] == owners[left + shift]]
            if not len(left):
                break
            pairs.append(mixed(keys[left] + mixed(keys[left + shift])))
            whose.append(owners[left])
        return np.concatenate(whose), np.concatenate(pairs)

    def near(self, number: int, others: Sequence[int]) -> list[int]:
        """Return those of `others` that a message may be alike: in size, and by their sketches."""
        if not others:
            return []
        among = np.asarray(others)
        near: list[int] = among[self._near(number, among)].tolist()
        return near

    def _near(self, one: np.ndarray | int, other: np.ndarray) -> np.ndarray:
        sizes = self._sizes[one], self._sizes[other]
        differing = np.maximum(np.bitwise_count(self._bits[one] ^ self._bits[other]), abs(sizes[0] - sizes[1]))
        near: np.ndarray = differing <= _DIFFERENCE * (sizes[0] + sizes[1]) + 1e-6
        return near


def _shingled(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many shingles each message has, 0 if it is short, and the hashes of all, one message's after another's."""
    texts = [row.text for row in rows]
    counts = np.zeros(len(texts), np.int64)
    may_be_long = [place for place, text in enumerate(texts) if len(text) >= MIN_ASCII or not text.isascii()]
    hashes = [np.empty(0, np.uint32)]
    for chunk in chunks(len(may_be_long)):
        here = may_be_long[chunk]
        counts[here], shingles = _hashed_shingles([texts[place] for place in here])
        hashes.append(shingles)
    return counts, np.concatenate(hashes)


class _RareMembers:
    """The rarest members of the sets of some messages: those of which sets alike enough share two (AdaptJoin: Wang and others,
    SIGMOD 2012). counts: of their shingles. said: a hash of who said each. begin: number of the first message.

    sizes: of the sets; sums: a hash of each whole; bits: its sketch. owners, keys, is_rare, is_rarest: of each rare member
    the message, what equal ones of one speaker have in common, whether it is among those of which sets alike share one, and
    among those of the smaller of two sets."""

    def __init__(
        self, counts: np.ndarray, shingles: np.ndarray, common: np.ndarray, said: np.ndarray, begin: int
    ) -> None:
        members = _rarest_first(counts, shingles, common)
        owners = (members >> (_HASH_BITS + _COMMON_BITS)).astype(np.int64)
        hashes = mixed(members & ((1 << _HASH_BITS) - 1))
        self.sizes = np.bincount(owners, minlength=len(counts))
        starts = np.cumsum(self.sizes) - self.sizes
        self.sums = np.add.reduceat(hashes, starts) + said
        self.bits = np.bitwise_or.reduceat(np.uint64(1) << (hashes >> np.uint64(58)), starts)
        from_end = (starts + self.sizes)[owners] - np.arange(len(owners))  # how many members come, this one included
        least = np.ceil(MIN_SIMILARITY * self.sizes - 1e-6)[owners]
        rare = from_end >= least - 1
        owners, from_end = owners[rare], from_end[rare]
        self.is_rare = from_end >= least[rare]
        self.is_rarest = from_end >= np.ceil(2 / (1 + MIN_SIMILARITY) * MIN_SIMILARITY * self.sizes - 1e-6)[owners]
        self.keys = mixed(hashes[rare] + said[owners])
        self.owners = owners + begin


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)


def _commonness(shingles: np.ndarray) -> np.ndarray:
    """Return how common the shingles of each bucket are in the corpus, as a logarithm."""
    frequency = np.zeros(1 << _BUCKET_BITS, np.int64)
    for start in range(0, len(shingles), _COUNTED_AT_ONCE):  # NumPy counts them as integers of eight bytes
        buckets = _buckets(shingles[start : start + _COUNTED_AT_ONCE])
        frequency += np.bincount(buckets, minlength=1 << _BUCKET_BITS)
    return np.ceil(np.log2(frequency + 1)).astype(np.uint64)


def _buckets(shingles: np.ndarray) -> np.ndarray:
    return shingles >> np.uint32(_HASH_BITS - _BUCKET_BITS)


def _rarest_first(counts: np.ndarray, shingles: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Return the members of each set, the rarest in the corpus first, as numbers: whose, how common, which."""
    owners = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    members = (owners << np.uint64(_COMMON_BITS) | common[_buckets(shingles)]) << np.uint64(_HASH_BITS) | shingles
    members.sort()
    kept: np.ndarray = members[np.append(True, members[1:] != members[:-1])[: len(members)]]
    return kept


def _first_of_each(values: np.ndarray) -> np.ndarray:
    """Return which values stand at no earlier place."""
    order = np.argsort(values, kind="stable")
    first = np.empty(len(values), np.bool_)
    first[order] = np.append(True, values[order][1:] != values[order][:-1])[: len(values)]
    return first


def _hashed_shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many shingles each text has, none if it is short, and their 32-bit hashes in order."""
    words = TextScan(texts, _FOLDING).words(_WORDS)
    hashes, long = words.hashes, words.counts >= MIN_WORDS
    text_of = np.repeat(np.where(long, np.arange(len(texts)), -1), words.counts)
    is_within = (text_of[:-2] == text_of[2:]) & (text_of[2:] >= 0)
    shingles = mixed(mixed(mixed(hashes[:-2]) + hashes[1:-1]) + hashes[2:])[is_within]
    return np.where(long, words.counts - 2, 0), (shingles >> np.uint64(32)).astype(np.uint32)


def _folded(text: str) -> str:
    """Return `text` as word tokens are of, but for what `_word_class` drops; a spacing accent would leave a blank."""
    if text.isascii():
        return text.lower()
    plain = text.replace("´", "").casefold()
    apart = unicodedata.normalize("NFKD", plain)
    return plain if apart == plain else apart.casefold()


_FOLDING = Folding(_folded, folded)  # marks are dropped from words, so the letter they stand on tells as much


def _word_class(char: str) -> int:
    """Return what a character is to word tokens."""
    if not folded(char):
        return DROPPED
    return ALONE if is_cjk(char) else LETTER if char.isalnum() else SEPARATOR


_WORDS = CharacterClasses(_word_class)


def _shingles(row: Row) -> frozenset[str]:
    """Return the runs of three words in a message."""
    said = word_tokens(row.text)
    return frozenset(map(" ".join, zip(said, said[1:], said[2:], strict=False)))


def _jaccard(first: frozenset[str], other: frozenset[str]) -> float:
    return len(first & other) / len(first | other)
