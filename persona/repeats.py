"""Whether a text says again what was said before, and how often a person does that. Pure."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from persona.openings import expected_openings

NEAR = 0.6  # of two texts' shingles in common: the same thought in other words stays below, another ending doesn't
SHINGLE = 5  # characters
MAX_COUNTED = 2000  # texts drawn of a person's: of so many it is known to a hundredth


class NearIndex:
    """Texts, and which of them share NEAR of their shingles with another (Jaccard)."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._sizes)

    def near(self, text: str) -> list[int]:
        """Return the places of the texts that nearly say `text`, in the order in which they were added."""
        shingles = _shingles(text)
        shared = Counter(place for shingle in shingles for place in self._places.get(shingle, ()))
        return sorted(
            place for place, both in shared.items() if both >= NEAR * (len(shingles) + self._sizes[place] - both)
        )

    def add(self, text: str) -> None:
        """Put a text behind the others."""
        shingles = _shingles(text)
        for shingle in shingles:
            self._places[shingle].append(len(self._sizes))
        self._sizes.append(len(shingles))


def repeats(text: str, earlier: Iterable[str]) -> bool:
    """Return whether `text` is one of the earlier ones but for case, punctuation and blanks."""
    bare = bare_text(text)
    return any(bare == bare_text(other) for other in earlier)


def neighbour_counts(texts: Sequence[str]) -> dict[str, int]:
    """Return how many of the texts nearly say what none, one, two, … of the others say: nothing of what they say. The keys are
    numbers as JSON has them."""
    drawn = texts if len(texts) <= MAX_COUNTED else Random(0).sample(texts, MAX_COUNTED)
    index, neighbours = NearIndex(), [0] * len(drawn)
    for place, text in enumerate(drawn):
        near = index.near(text)
        neighbours[place] = len(near)
        for other in near:
            neighbours[other] += 1
        index.add(text)
    return {str(count): texts_of for count, texts_of in sorted(Counter(neighbours).items())}


def expected_repeats(counts: Mapping[str, int], texts: int) -> float:
    """Return how many of so many of the person's texts, in any order, nearly repeat an earlier one on average. counts: see
    `neighbour_counts`.

    Of a text and its neighbours any may come first, so each text is the new one of its kind in one of `neighbours + 1` cases:
    rarefaction, where a kind is shared by that many."""
    kinds = {str(int(others) + 1): count / (int(others) + 1) for others, count in counts.items()}
    return min(texts, sum(counts.values())) - expected_openings(kinds, texts)


def bare_text(text: str) -> str:
    """Return letters and digits alone; where there are none (an emoji, `?!`), the text without blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum()) or "".join(folded.split())


def _shingles(text: str) -> frozenset[str]:
    bare = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return frozenset(bare[i : i + SHINGLE] for i in range(max(1, len(bare) - SHINGLE + 1)))
