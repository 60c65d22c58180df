"""How a person's texts begin, and how many beginnings so many of them have. Pure.

What is counted are the first two word tokens. The expectation is rarefaction's (Hurlbert 1971, Ecology 52): of n texts drawn
without putting any back.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from persona.markers import words_of
from persona.word_tokens import word_tokens

OPENING_WORDS = 2

Opening = tuple[str, ...]


@lru_cache(4096)
def opening_of(text: str) -> Opening:
    """Return how a text begins; () if it has no words."""
    return tuple(word_tokens(" ".join(map(words_of, text.split("\n"))))[:OPENING_WORDS])


def multiplicities(texts: Iterable[str]) -> dict[str, int]:
    """Return how many openings begin one text, two, three, …: nothing of what they say. The keys are numbers as JSON has them."""
    counts = Counter(opening for text in texts if (opening := opening_of(text)))
    return {str(times): openings for times, openings in sorted(Counter(counts.values()).items())}


def expected_openings(counts: Mapping[str, float], texts: int) -> float:
    """Return how many different openings so many of the person's texts have on average. counts: see `multiplicities`. Of more
    texts than there are, as many as there are."""
    pairs = [(int(times), openings) for times, openings in counts.items()]
    total = round(sum(times * openings for times, openings in pairs))
    drawn = min(texts, total)
    return sum(openings * (1 - _none_of(times, total, drawn)) for times, openings in pairs)


def _none_of(times: int, total: int, drawn: int) -> float:
    """Return the probability that none of `times` texts is among those drawn of all."""
    if drawn > total - times:
        return 0.0
    left = total - times
    logs = (
        math.lgamma(left + 1) - math.lgamma(left - drawn + 1) - math.lgamma(total + 1) + math.lgamma(total - drawn + 1)
    )
    return math.exp(logs)
