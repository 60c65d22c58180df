"""Weights of tokens in the loss: the persona's own words count for more. What is learned then leans towards their vocabulary.

Cross-entropy with a weight for each class is least where the model says w(token) p(token | context), p being the truth: the
adapter learns the person and a lean of log w on top, without any engine knowing of it. It costs a little likelihood.
"""

from collections.abc import Iterable

import torch

PRIOR = 500.0  # tokens of the corpus mixed into the persona's: a word said once is no habit
RARE = 0.1  # of a token that the corpus doesn't hold


def token_weights(
    said: Iterable[int], heard: Iterable[int], vocabulary: int, end_of_turn: int, strength: float
) -> torch.Tensor:
    """w [vocabulary], float32: ((c + 500 q) / (n + 500) / q) ** strength, c the counts of the n tokens that the persona
    `said`, q the shares of those `heard` from everybody; 1 for the end of a turn, so that turns keep their length. On the
    average token of the persona it is 1, so that the learning rate means the same."""
    counts, all_counts = _counts(said, vocabulary), _counts(heard, vocabulary) + RARE
    shares = all_counts / all_counts.sum()
    weights = ((counts + PRIOR * shares) / (counts.sum() + PRIOR) / shares) ** strength
    weights[end_of_turn] = 1.0
    return weights * (counts.sum() / (counts * weights).sum()) if counts.sum() else torch.ones(vocabulary)


def _counts(ids: Iterable[int], vocabulary: int) -> torch.Tensor:
    return torch.bincount(torch.tensor(list(ids), dtype=torch.long), minlength=vocabulary).float()
