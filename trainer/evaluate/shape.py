"""The shape of texts: how long they are, how they are punctuated, how they end, and which small words they use."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy.spatial.distance import jensenshannon

from persona.emoji import emoji_of, ends_with_emoji
from persona.word_tokens import word_tokens
from trainer.evaluate.intervals import Figure, bootstrap

LENGTHS = (1, 2, 3, 5, 8, 12, 20, 40)  # upper ends of the bins, in units
SMALL_WORDS = 50

Count = Callable[[str], Iterable[object]]


def length_bin(text: str) -> int:
    """Return the bin of a text's length in units."""
    count = len(word_tokens(text))
    return next((number for number, most in enumerate(LENGTHS) if count <= most), len(LENGTHS))


def small_words(texts: Iterable[str]) -> frozenset[str]:
    """Return the most frequent units: function words, in any language."""
    counts = Counter(unit for text in texts for unit in word_tokens(text))
    return frozenset(unit for unit, _ in counts.most_common(SMALL_WORDS))


def _case(text: str) -> str:
    letters = [char for char in text if char.isalpha()]
    if not any(char.isupper() or char.islower() for char in letters):
        return "none"
    if all(not char.isupper() for char in letters):
        return "lower"
    return "upper" if all(not char.islower() for char in letters) else "sentence" if letters[0].isupper() else "mixed"


def _last(text: str) -> str:
    char = text[-1:]
    return "emoji" if ends_with_emoji(text) else "letter" if char.isalnum() else char


ASPECTS: dict[str, Count] = {
    "length": lambda text: [length_bin(text)],
    "punctuation": lambda text: [char for char in text if unicodedata.category(char).startswith("P")],
    "ending": lambda text: [_last(text)],
    "emoji": lambda text: emoji_of(text) or ["none"],
    "case": lambda text: [_case(text)],
    "burst": lambda text: [min(text.count("\n"), 6)],
}


def distance(ours: Sequence[str], theirs: Sequence[str], count: Count) -> float:
    """Jensen-Shannon distance, in [0, 1], of what `count` finds in either; 0 if neither holds any."""
    our_counts, their_counts = (Counter(item for text in texts for item in count(text)) for texts in (ours, theirs))
    items = sorted({*our_counts, *their_counts}, key=repr)
    if not our_counts or not their_counts:
        return float(bool(our_counts) != bool(their_counts))
    return float(jensenshannon([our_counts[item] for item in items], [their_counts[item] for item in items], base=2))


def length_distance(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Return the distance of the lengths alone, which calibration keeps within bounds."""
    return distance(ours, theirs, ASPECTS["length"])


def distances(ours: Sequence[str], theirs: Sequence[str]) -> dict[str, float]:
    """Return the distance in each aspect, `words` being the small words of `theirs`."""
    common = small_words(theirs)
    by_aspect = {name: distance(ours, theirs, count) for name, count in ASPECTS.items()}
    return by_aspect | {
        "words": distance(ours, theirs, lambda text: [unit for unit in word_tokens(text) if unit in common])
    }


def shape(ours: Sequence[str], theirs: Sequence[str]) -> Figure:
    """Return the mean distance over all aspects, with its interval."""
    return bootstrap(
        lambda some, rest: float(np.mean(list(distances(some.tolist(), rest.tolist()).values()))),
        np.array(ours, dtype=object),
        np.array(theirs, dtype=object),
        times=20,
        centred=True,
    )
