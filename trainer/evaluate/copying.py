"""How much of a text was in the training messages, word for word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from persona.guard import shingles
from persona.word_tokens import word_tokens
from trainer.evaluate.intervals import Figure, Numbers, bootstrap

NGRAM_WORDS = 8  # words


@dataclass(frozen=True, slots=True)
class TrainingGrams:
    """What the training messages hold. grams: hashes of their runs of NGRAM_WORDS words. whole: hashes of messages at least a
    shingle long (six words, twelve wide characters): shorter ones are anybody's. pairs: of words that follow each other."""

    grams: frozenset[int]
    whole: frozenset[int]
    pairs: frozenset[int] = frozenset()


def training_grams(texts: Iterable[str]) -> TrainingGrams:
    """Return the hashes of training texts."""
    units_of_texts = [(text, tuple(word_tokens(text))) for text in texts]
    grams = {
        hash(words[k : k + NGRAM_WORDS]) for _, words in units_of_texts for k in range(len(words) - NGRAM_WORDS + 1)
    }
    return TrainingGrams(
        frozenset(grams),
        frozenset(hash(words) for text, words in units_of_texts if any(shingles(text))),
        frozenset(hash(pair) for _, words in units_of_texts for pair in pairwise(words)),
    )


def count_copied(text: str, training: TrainingGrams) -> tuple[int, int]:
    """Return how many words of `text` are inside a run of NGRAM_WORDS words of the training texts, and how many there are."""
    units_of_texts = tuple(word_tokens(text))
    inside = [False] * len(units_of_texts)
    for start in range(len(units_of_texts) - NGRAM_WORDS + 1):
        if hash(units_of_texts[start : start + NGRAM_WORDS]) in training.grams:
            inside[start : start + NGRAM_WORDS] = [True] * NGRAM_WORDS
    return sum(inside), len(units_of_texts)


def copy_share(texts: Sequence[str], training: TrainingGrams) -> Figure:
    """Return copy8: the share of words inside a copied run."""
    return bootstrap(_share, np.array([count_copied(text, training) for text in texts]))


def whole_share(texts: Sequence[str], training: TrainingGrams) -> Figure:
    """Return full: the share of texts that are a training message, word for word."""
    hits = [float(hash(tuple(word_tokens(text))) in training.whole) for text in texts]
    return bootstrap(lambda some: float(some.mean()), np.array(hits))


def new_pairs(texts: Sequence[str], training: TrainingGrams) -> Figure | None:
    """Return the share of pairs of words that the training texts don't have; None if there are none, or no pairs."""
    counts = []
    for text in texts:
        pairs = [hash(pair) for pair in pairwise(word_tokens(text))]
        counts.append((sum(pair not in training.pairs for pair in pairs), len(pairs)))
    numbers = np.array(counts).reshape(-1, 2)
    return bootstrap(_share, numbers) if training.pairs and numbers[:, 1].any() else None


def _share(counts: Numbers) -> float:
    inside, total = counts.sum(0)
    return float(inside / max(1, total))
