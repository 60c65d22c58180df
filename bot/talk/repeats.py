"""Whether a text says again what was said before. Pure."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from persona.openings import expected_openings, opening_of

NEAR = 0.6  # of two texts' shingles in common: the same thought in other words stays below, another ending doesn't
SHINGLE = 5  # characters


def repeats(text: str, earlier: Iterable[str], *, near: float = 1.0) -> bool:
    """Return whether `text` is one of the earlier ones but for case, punctuation and blanks; near: or shares at least
    this much of its shingles with one (Jaccard)."""
    bare, mine = _bare(text), _shingles(text)
    return any(bare == _bare(text) or (near < 1 and _alike(mine, _shingles(text)) >= near) for text in earlier)


def begins_too_often(text: str, earlier: Sequence[str], openings: Mapping[str, int]) -> bool:
    """Return whether `text` begins like an earlier one while those have fewer different beginnings than as many of the
    person's have. openings: see `persona.openings.multiplicities`; without any, nothing begins too often."""
    if not (openings and (opening := opening_of(text))):
        return False
    begun = set(map(opening_of, earlier))
    return opening in begun and len(begun) < expected_openings(openings, len(earlier) + 1)


def _bare(text: str) -> str:
    """Letters and digits alone; where there are none (an emoji, `?!`), the text without blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum()) or "".join(folded.split())


def _shingles(text: str) -> frozenset[str]:
    bare = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return frozenset(bare[i : i + SHINGLE] for i in range(max(1, len(bare) - SHINGLE + 1)))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
