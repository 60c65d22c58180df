"""Classifier two-sample test (Lopez-Paz and Oquab, arXiv 1610.06545): can a classifier tell real from generated?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from trainer.evaluate.intervals import Figure, Numbers, bootstrap, resampled
from trainer.evaluate.judges import FOLDS, features, fold_of, out_of_fold_scores

MIN_TEXTS = 2 * FOLDS  # texts of each kind


def area(positive: Numbers, negative: Numbers) -> float:
    """Area under the ROC curve: how often a positive score is above a negative one (Mann-Whitney)."""
    ranks = rankdata(np.concatenate([positive, negative]))
    above = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def scores(real: Sequence[str], generated: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Out-of-fold scores of generated and of real texts. Folds are contiguous and the same for both, so a text and the
    real one it stands beside are judged together."""
    texts = [*generated, *real]
    labels = np.array([1] * len(generated) + [0] * len(real))
    fold = np.array([fold_of(k, len(texts)) for texts in (generated, real) for k in range(len(texts))])
    out_of_fold = out_of_fold_scores(features().fit_transform(texts), labels, fold)
    return out_of_fold[: len(generated)], out_of_fold[len(generated) :]


def two_sample(real: Sequence[str], generated: Sequence[str]) -> Figure | None:
    """Return the area, 0.5 if they can't be told apart; None if there are too few texts."""
    if min(len(real), len(generated)) < MIN_TEXTS:
        return None
    return bootstrap(area, *scores(real, generated))


def resampled_area(real: Sequence[str], generated: Sequence[str]) -> Numbers:
    """Return the area over resamplings that are the same for any generated texts of the same number."""
    return resampled(area, *scores(real, generated))
