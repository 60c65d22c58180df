"""The copy guard: what the persona must not say, since somebody said it before or it is nobody's business.

Of the training messages it holds keyed 64-bit hashes, never text: of each run of six words (twelve characters where a
script writes no blanks) and of each five digits in a row. It finds what is repeated, also in other capitals, accents or
punctuation; it does not find a paraphrase.
"""

import hashlib
import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from persona.errors import PermanentError
from persona.pii.scrub import scrub
from persona.word_tokens import folded, is_cjk, word_tokens

FILE = "guard.bin"
SHINGLE = 12  # weight of a run that counts as copied: a word weighs two, a wide character one
DIGITS = 5
_MAGIC = b"alterego guard 1"
KEY_BYTES = 16
_NUMBER = re.compile(r"\d(?:[ .\-/()]{0,2}\d){4,}")
_NO_DIGIT = re.compile(r"\D+")


def shingles(text: str) -> Iterator[str]:
    """Yield every shortest run of units in `text` that weighs SHINGLE: six words, twelve wide characters, or a
    mixture."""
    words = word_tokens(text)
    weights = [1 if is_cjk(unit) else 2 for unit in words]
    end = weight = 0
    for start in range(len(words)):
        while weight < SHINGLE and end < len(words):
            weight += weights[end]
            end += 1
        if weight < SHINGLE:
            return
        yield " ".join(words[start:end])
        weight -= weights[start]


def numbers(text: str) -> Iterator[str]:
    """Yield every five digits in a row in `text`, blanks and the punctuation of telephone numbers between them left
    out."""
    for number in _NUMBER.findall(folded(text)):
        digits = _NO_DIGIT.sub("", number)
        yield from (digits[start : start + DIGITS] for start in range(len(digits) - DIGITS + 1))


@dataclass(frozen=True, slots=True)
class SeenIndex:
    """What was seen in training, as keyed hashes. key: the key of the hashes, drawn anew for each bundle, so that two
    bundles can't be compared. hashes: sorted; eight bytes each, in memory as in the file."""

    key: bytes = b""
    hashes: Sequence[int] = ()

    def holds(self, pieces: Iterable[str]) -> bool:
        """Return whether one of `pieces` was seen."""
        return any(self._has(_hash(piece, self.key)) for piece in pieces)

    def save(self, path: Path) -> None:
        """Write the hashes to `path`, for the owner's eyes."""
        stored = array("Q", self.hashes)
        if sys.byteorder == "big":
            stored.byteswap()
        path.touch(mode=0o600)
        path.write_bytes(_MAGIC + self.key + stored.tobytes())

    def _has(self, number: int) -> bool:
        place = bisect_left(self.hashes, number)
        return place < len(self.hashes) and self.hashes[place] == number


def build(texts: Iterable[str], key: bytes) -> SeenIndex:
    """Return what `texts` show: their shingles and their numbers. key: 16 random bytes."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a guard's key has {KEY_BYTES} bytes, not {len(key)}")
    hashes = {_hash(piece, key) for text in texts for pieces in (shingles(text), numbers(text)) for piece in pieces}
    return SeenIndex(key, array("Q", sorted(hashes)))


def load(path: Path) -> SeenIndex:
    """Return what `save` wrote. Raises PermanentError for a file that is no guard."""
    content = path.read_bytes()
    body = content[len(_MAGIC) + KEY_BYTES :]
    if not content.startswith(_MAGIC) or len(content) < len(_MAGIC) + KEY_BYTES or len(body) % 8:
        raise PermanentError(f"{path} was not written by this version of alterego; train anew")
    hashes = array("Q", body)
    if sys.byteorder == "big":
        hashes.byteswap()
    return SeenIndex(content[len(_MAGIC) : len(_MAGIC) + KEY_BYTES], hashes)


def nothing_private(_: str) -> str:
    """Return that a text holds no personal data."""
    return ""


def personal_data(text: str) -> str:
    """Return the kind of personal data or secret that `text` holds; empty if it holds none."""
    return next(iter(scrub(text).kinds), "")


@dataclass(frozen=True, slots=True)
class Guard:
    """What is asked before anything is said. seen: what was trained on. blocked: words that may not occur.
    private: names the personal data or the secret that a text holds, empty if it holds none."""

    seen: SeenIndex = field(default_factory=SeenIndex)
    blocked: re.Pattern[str] | None = None
    private: Callable[[str], str] = nothing_private

    def check(self, text: str) -> str:
        """Why `text` must not be said: "copy", "number", "blocked word" or a kind of personal data; "" if it may."""
        if self.seen.hashes and self.seen.holds(shingles(text)):
            return "copy"
        if self.seen.hashes and self.seen.holds(numbers(text)):
            return "number"
        if self.blocked and self.blocked.search(folded(text)):
            return "blocked word"
        return self.private(text)


def blocked_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern over folded text that finds any of `words`; where a script writes blanks between words, whole
    ones."""
    blocked = sorted({plain for word in words if (plain := folded(word).strip())}, key=len, reverse=True)
    parts = [re.escape(word) if is_cjk(word) else rf"(?<!\w){re.escape(word)}(?!\w)" for word in blocked]
    return re.compile("|".join(parts)) if parts else None


def _hash(piece: str, key: bytes) -> int:
    return int.from_bytes(
        hashlib.blake2b(piece.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest(), "little"
    )
