"""Many texts looked through at once, as arrays of characters: which of them are worth reading closely. Pure.

Words come as 64-bit hashes: equal words have equal ones, different words practically never. To cut and hash the words of a
message so takes a microsecond, a quarter of what regular expressions and lists of strings take.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

TEXTS_AT_ONCE = 4096  # so that their arrays stay in the processor's cache
SEPARATOR, LETTER, ALONE, DROPPED = range(4)  # what a character is to words; ALONE: a word by itself
_BETWEEN, _CONTROL = "\0", "\1"  # what stands between texts; and for it in a text, as little of a word and as odd
_BLOCK, _UNKNOWN = 256, 255
_BASE, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


class CharacterClasses:
    """A class for each character, asked for once and a block of 256 at a time."""

    def __init__(self, class_of: Callable[[str], int]) -> None:
        self._class_of = class_of
        self._classes = np.full(0x110000, _UNKNOWN, np.uint8)

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Return the class of each code point."""
        classes: np.ndarray = self._classes[codes]
        if classes.max() == _UNKNOWN:
            for block in np.unique(codes[classes == _UNKNOWN] >> 8).tolist():
                characters = map(chr, range(block * _BLOCK, (block + 1) * _BLOCK))
                self._classes[block * _BLOCK : (block + 1) * _BLOCK] = list(map(self._class_of, characters))
            classes = self._classes[codes]
        return classes


class HashedWords(NamedTuple):
    """hashes: of all words, in order. counts: of words in each text."""

    hashes: np.ndarray
    counts: np.ndarray

    def texts(self) -> np.ndarray:
        """Return the place of the text that each word stands in."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


class Folding:
    """A fold of texts. What one character becomes, whatever stands beside it, is asked for once and looked up; a text with
    one that becomes several is folded as a whole. fold_character: what one becomes, by default as a text of its own; if
    nothing, it stays."""

    MANY = 0x110000

    def __init__(self, fold: Callable[[str], str], fold_character: Callable[[str], str] | None = None) -> None:
        self.fold = fold
        self._fold_character = fold_character or fold
        self._codes = np.zeros(0x110000, np.intp)  # one more than what each code point becomes

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Return the code point that each becomes; MANY if several."""
        plus_one: np.ndarray = self._codes[codes]
        if not plus_one.all():
            for block in np.unique(codes[plus_one == 0] >> 8).tolist():
                start = block * _BLOCK
                self._codes[start : start + _BLOCK] = [
                    self._code(char) + 1 for char in map(chr, range(start, start + _BLOCK))
                ]
            plus_one = self._codes[codes]
        return plus_one - 1

    def _code(self, char: str) -> int:
        folded = self._fold_character(char) or char
        return ord(folded) if len(folded) == 1 else self.MANY


LOWER = Folding(str.lower, lambda char: char.lower() if char != "Σ" else "σς")  # which of them, its neighbours tell


class TextScan:
    """The characters of some texts side by side. folding: what is done to the texts first."""

    def __init__(self, texts: Sequence[str], folding: Folding | None = LOWER) -> None:
        self._count = len(texts)
        self._codes = _codes_of(texts)
        if folding:
            folded = folding.of(self._codes)
            if folded.max() == Folding.MANY:
                ends = np.flatnonzero(self._codes == 0)
                whole = set(np.searchsorted(ends, np.flatnonzero(folded == Folding.MANY)).tolist())
                self._codes = _codes_of([folding.fold(text) if at in whole else text for at, text in enumerate(texts)])
                folded = folding.of(self._codes)
                folded = np.where(folded == Folding.MANY, self._codes, folded)
            self._codes = folded
        self._ends = np.flatnonzero(self._codes == 0)[: self._count]

    def holding(self, classes: CharacterClasses) -> np.ndarray:
        """Return whether each text holds a character whose class is not 0."""
        holding: np.ndarray = self.classes(classes) != 0
        return holding

    def classes(self, classes: CharacterClasses) -> np.ndarray:
        """Return the classes of the characters of each text, or-ed."""
        hits = classes.of(self._codes)
        hits[self._ends] = 0
        starts = np.insert(self._ends[:-1] + 1, 0, 0)
        together: np.ndarray = np.bitwise_or.reduceat(hits, starts[: self._count])
        return together

    def without(self, classes: CharacterClasses) -> list[bytes]:
        """Return each text without the characters whose class is not 0, as UTF-8."""
        stays = classes.of(self._codes) == 0
        stays[self._ends] = True
        bare: str = self._codes[stays].astype(np.uint32).tobytes().decode("utf-32-le", "surrogatepass")
        return bare.encode(errors="surrogatepass").split(b"\0")[: self._count]

    def repeating(self, times: int) -> np.ndarray:
        """Return whether each text holds a character so many times in a row. times: 2 ** n + 1."""
        alike = self._codes[1:] == self._codes[:-1]
        span = 1
        while span < times - 1:
            alike = alike[span:] & alike[:-span]
            span *= 2
        holding = np.zeros(self._count, np.bool_)
        holding[np.searchsorted(self._ends, np.flatnonzero(alike))] = True
        return holding

    def words(self, classes: CharacterClasses) -> HashedWords:
        """Return the hashes of all words; those are runs of LETTER, and each ALONE by itself."""
        codes, kinds, ends_of_texts = self._codes, classes.of(self._codes), self._ends
        if (kinds == DROPPED).any():
            codes, kinds = codes[kinds != DROPPED], kinds[kinds != DROPPED]
            ends_of_texts = np.flatnonzero(codes == 0)[: self._count]
        inside = kinds != SEPARATOR
        apart = ~(inside[1:] & inside[:-1])
        if (kinds == ALONE).any():
            apart |= (kinds[1:] == ALONE) | (kinds[:-1] == ALONE)
        first, last = inside.copy(), inside.copy()
        first[1:] &= apart
        last[:-1] &= apart
        starts, ends = np.flatnonzero(first), np.flatnonzero(last)
        until = np.searchsorted(starts, ends_of_texts)
        return HashedWords(_hashes(codes, starts, ends), np.diff(until, prepend=0))


def _codes_of(texts: Sequence[str]) -> np.ndarray:
    """Return the code points of texts, a 0 behind each."""
    joined = _BETWEEN.join(texts)
    if joined.count(_BETWEEN) >= max(len(texts), 1):
        joined = _BETWEEN.join([text.replace(_BETWEEN, _CONTROL) for text in texts])
    joined += _BETWEEN  # behind the last one, too
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.intp)


def chunks(count: int) -> Iterator[slice]:
    """Yield slices that together are `count` texts, each as many as a scan should hold."""
    return (slice(start, min(start + TEXTS_AT_ONCE, count)) for start in range(0, count, TEXTS_AT_ONCE))


def mixed(hashes: np.ndarray) -> np.ndarray:
    """Return hashes whose bits all depend on all bits of `hashes`."""
    once: np.ndarray = (hashes ^ (hashes >> _HALF)) * _MIX
    once ^= once >> _HALF
    return once


def _hashes(codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return a polynomial of the characters between each start and end, as a difference of sums over all (Rabin, Karp)."""
    powers, inverses = _powers(max(len(codes), TEXTS_AT_ONCE).bit_length())
    values = _mixed_codes()[codes]
    values *= powers[: len(codes)]
    firsts = values[starts]
    sums = np.cumsum(values, out=values)
    return mixed((sums[ends] - sums[starts] + firsts) * inverses[starts])


@cache
def _mixed_codes() -> np.ndarray:
    """Return a number for each code point."""
    return mixed(np.arange(0x110000, dtype=np.uint64))


@lru_cache(maxsize=4)
def _powers(bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first 2**bits powers of an odd number, and of its inverse, modulo 2**64."""
    inverse = pow(int(_BASE), -1, 1 << 64)
    powers, inverses = (np.full(1 << bits, base, np.uint64).cumprod() for base in (_BASE, np.uint64(inverse)))
    return powers, inverses
