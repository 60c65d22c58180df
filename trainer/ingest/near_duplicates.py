"""Messages said nearly the same again by the same person. Short habits ("good morning") keep their frequency: they are the
voice; long texts said ten times over are what a model recites (Kandpal and others, arXiv 2202.06539).

Messages are sketched by the least hashes of their shingles (Broder, 1997), all of many speakers at once; those few that share
a band of their sketch with another are compared exactly.
"""

import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from persona.word_tokens import folded, is_cjk, word_tokens
from trainer.corpus.segmentation import Row
from trainer.people.text_scan import ALONE, DROPPED, LETTER, SEPARATOR, CharacterClasses, TextScan, chunks, mixed

MIN_WORDS = 8  # shorter messages are habits
MIN_SIMILARITY = 0.8  # Jaccard similarity of shingles
_BANDS, _HASHES_A_BAND = 16, 4  # similar at .8: found with a chance of 99.98%
_TOGETHER = 1 << 16  # messages at least, of one speaker or of many, that are sketched in one go
_EXACT = 32  # shingles, up to which each number of them has a matrix of its own
_PERMUTATIONS = 2 * np.random.default_rng(1).integers(0, 1 << 31, (_BANDS, _HASHES_A_BAND, 2), np.uint32) + 1


def repeated(rows: Sequence[Row], speaker: Callable[[Row], str]) -> Iterator[int]:
    """Yield the places in `rows` of messages that say nearly what the same speaker said at an earlier place."""
    said: dict[str, array[int]] = {}
    for place, row in enumerate(rows):
        said.setdefault(speaker(row), array("q")).append(place)
    together: list[array[int]] = []
    for places in said.values():
        together.append(places)
        if sum(map(len, together)) >= _TOGETHER:
            yield from _repeated(rows, together)
            together = []
    if together:
        yield from _repeated(rows, together)


def _repeated(rows: Sequence[Row], together: Sequence[Sequence[int]]) -> Iterator[int]:
    """Yield the same for the places of some speakers."""
    sketched = _Sketched(rows, together)
    said: dict[tuple[int, int], list[int]] = {}
    shingles: dict[int, frozenset[str]] = {}
    for place, bands in sorted(sketched.alike().items()):
        own = _shingles(rows[place])
        earlier = {other for band in bands for other in said.get(band, ())}
        if any(_jaccard(own, shingles[other]) >= MIN_SIMILARITY for other in earlier):
            yield place
        else:
            shingles[place] = own
            for band in bands:
                said.setdefault(band, []).append(place)


class _Sketched:
    """The shingles of long messages, as hashes. Messages with about equally many are the columns of one matrix."""

    def __init__(self, rows: Sequence[Row], together: Sequence[Sequence[int]]) -> None:
        places = np.concatenate([np.asarray(some, np.int64) for some in together])
        speakers = np.repeat(np.arange(len(together)), list(map(len, together)))
        hashes: list[np.ndarray] = []
        counts = np.zeros(len(places), np.int64)
        for chunk in chunks(len(places)):
            counts[chunk], shingles = _hashed_shingles([_text(rows[place]) for place in places[chunk].tolist()])
            hashes.append(shingles)
        long = counts > 0
        self._places, counts = places[long], counts[long]
        self._speakers = mixed(speakers[long].astype(np.uint64))
        shingled = np.concatenate(hashes)
        starts = np.cumsum(counts) - counts
        self._matrices: list[tuple[np.ndarray, np.ndarray]] = []
        heights = np.where(counts <= _EXACT, counts, -(-counts // _EXACT) * _EXACT)
        for height in np.unique(heights).tolist():
            columns = np.flatnonzero(heights == height)
            below = np.minimum(np.arange(height)[:, None], counts[columns] - 1)  # the last one again, to fill up
            self._matrices.append((columns, shingled[starts[columns] + below]))

    def alike(self) -> dict[int, list[tuple[int, int]]]:
        """Return the places of messages that share a band with another of their speaker; each with the bands it shares."""
        shared: dict[int, list[tuple[int, int]]] = {}
        for band in range(_BANDS):
            keys = self._keys(band)
            order = np.argsort(keys)
            ordered = keys[order]
            same = ordered[1:] == ordered[:-1]
            among = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
            for place, key in zip(self._places[order[among]].tolist(), ordered[among].tolist(), strict=True):
                shared.setdefault(place, []).append((band, key))
        return shared

    def _keys(self, band: int) -> np.ndarray:
        """Return a hash of one band of every sketch."""
        keys = self._speakers.copy()
        least = np.empty(len(keys), np.uint32)
        for factor, summand in _PERMUTATIONS[band]:
            for columns, shingles in self._matrices:
                permuted = shingles * factor
                permuted += summand
                least[columns] = permuted.min(axis=0)
            keys = mixed(keys + least)
        return keys


def _hashed_shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many shingles each text has, none if it is short, and their 32-bit hashes in order."""
    words = TextScan(texts, _folded).words(_WORDS)
    hashes, long = words.hashes, words.counts >= MIN_WORDS
    text_of = np.repeat(np.where(long, np.arange(len(texts)), -1), words.counts)
    is_within = (text_of[:-2] == text_of[2:]) & (text_of[2:] >= 0)
    shingles = mixed(mixed(mixed(hashes[:-2]) + hashes[1:-1]) + hashes[2:])[is_within]
    return np.where(long, words.counts - 2, 0), (shingles >> np.uint64(32)).astype(np.uint32)


def _folded(text: str) -> str:
    """Return `text` as word tokens are of, but for what `_word_class` drops; a spacing accent would leave a blank."""
    plain = text.replace("´", "").casefold()
    return plain if plain.isascii() else unicodedata.normalize("NFKD", plain).casefold()


def _word_class(char: str) -> int:
    """Return what a character is to word tokens."""
    if not folded(char):
        return DROPPED
    return ALONE if is_cjk(char) else LETTER if char.isalnum() else SEPARATOR


_WORDS = CharacterClasses(_word_class)


def _text(row: Row) -> str:
    return row.lines[0] if len(row.lines) == 1 else "\n".join(row.lines)


def _shingles(row: Row) -> frozenset[str]:
    """Return the runs of three words in a message."""
    said = word_tokens(_text(row))
    return frozenset(map(" ".join, zip(said, said[1:], said[2:], strict=False)))


def _jaccard(first: frozenset[str], other: frozenset[str]) -> float:
    return len(first & other) / len(first | other)
