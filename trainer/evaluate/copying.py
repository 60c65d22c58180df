"""How much of a text was in the training messages, word for word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from persona.guard import shingles
from persona.word_tokens import word_tokens
from trainer.evaluate.intervals import Figure, Numbers, bootstrap

GRAM = 8  # words


@dataclass(frozen=True, slots=True)
class Known:
    """What was trained on. grams: hashes of its runs of GRAM units. whole: hashes of its messages that are at
    least a shingle long (six words, twelve wide characters): shorter ones are anybody's."""

    grams: frozenset[int]
    whole: frozenset[int]


def known(texts: Iterable[str]) -> Known:
    """What these training texts hold."""
    said = [(text, tuple(word_tokens(text))) for text in texts]
    grams = {hash(one[k : k + GRAM]) for _, one in said for k in range(len(one) - GRAM + 1)}
    return Known(frozenset(grams), frozenset(hash(one) for text, one in said if any(shingles(text))))


def copied(text: str, training: Known) -> tuple[int, int]:
    """How many of the units of `text` stand inside a run of GRAM units of the training texts, and how many there are."""
    said = tuple(word_tokens(text))
    inside = [False] * len(said)
    for start in range(len(said) - GRAM + 1):
        if hash(said[start : start + GRAM]) in training.grams:
            inside[start : start + GRAM] = [True] * GRAM
    return sum(inside), len(said)


def copy_share(texts: Sequence[str], training: Known) -> Figure:
    """copy8: the share of words inside a copied run."""
    return bootstrap(_share, np.array([copied(text, training) for text in texts]))


def whole_share(texts: Sequence[str], training: Known) -> Figure:
    """full: the share of texts that are a training message, word for word."""
    hits = [float(hash(tuple(word_tokens(text))) in training.whole) for text in texts]
    return bootstrap(lambda some: float(some.mean()), np.array(hits))


def _share(counts: Numbers) -> float:
    inside, all_of_them = counts.sum(0)
    return float(inside / max(1, all_of_them))
