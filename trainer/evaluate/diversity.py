"""How varied texts are: distinct n-grams on a fixed number of words, and how many texts are repeated."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from persona.word_tokens import word_tokens
from trainer.evaluate.intervals import Figure, Numbers, bootstrap

WORDS = 5000  # distinct-n falls with the number of words: it is always taken on so many


def distinct(texts: Sequence[str], n: int = 2, words: int = WORDS) -> float:
    """Distinct n-grams among all n-grams of the first `words` units (Li et al., arXiv 1510.03055)."""
    tokens = list(chain.from_iterable(map(word_tokens, texts)))[:words]
    grams = list(zip(*(tokens[k:] for k in range(n)), strict=False))
    return len(set(grams)) / len(grams) if grams else float("nan")


def distinct_figure(texts: Sequence[str], n: int = 2, words: int = WORDS) -> Figure:
    """distinct-n with its interval."""
    sample = np.array(texts, dtype=object)
    return bootstrap(lambda some: distinct(some.tolist(), n, words), sample, times=60, centred=True)


def duplicates(texts: Sequence[str]) -> Figure:
    """Share of texts that were there before, in the same words."""
    seen: set[tuple[str, ...]] = set()
    again = []
    for text in texts:
        words = tuple(word_tokens(text)) or (text,)
        again.append(float(words in seen))
        seen.add(words)
    return bootstrap(_mean, np.array(again))


def _mean(values: Numbers) -> float:
    return float(values.mean())
