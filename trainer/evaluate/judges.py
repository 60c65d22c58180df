"""Judges of style: logistic regression on character 2-4-grams (TF-IDF) and the frequencies of function words.

A judge never sees a training message of the generator: judges are fitted and asked on held-out messages alone, in
contiguous folds, so that no judge knows the conversation it judges.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from persona.word_tokens import word_tokens

BUNDLE = 400  # characters of a bundle of messages: what a judge needs to know a voice
FOLDS = 5
FUNCTION_WORDS = 100  # the most frequent units of the judge's own texts are the function words of any language
MOST_FEATURES = 30_000
INVERSE_REGULARISATION = 10.0  # scikit-learn's C

_CAPITALISED = re.compile(r"\b[^\W\d_a-zß-ÿ]\w*")


def bundles(texts: Sequence[str], size: int = BUNDLE) -> list[str]:
    """Neighbouring texts joined until they have `size` characters; what is left over at the end is left out, unless it
    is all there is. size 0: each text is a bundle."""
    if not size:
        return list(texts)
    joined: list[str] = []
    part: list[str] = []
    for text in texts:
        part.append(text)
        if sum(map(len, part)) >= size:
            joined.append("\n".join(part))
            part = []
    return joined or (["\n".join(part)] if part else [])


def masked(text: str) -> str:
    """`text` with capitalised words hidden: a judge is to know the voice, not the names in it."""
    return _CAPITALISED.sub("X", text)


def features() -> FeatureUnion:
    """Return texts -> a sparse matrix, not yet fitted."""
    grams = TfidfVectorizer(
        analyzer="char", ngram_range=(2, 4), lowercase=False, sublinear_tf=True, max_features=MOST_FEATURES
    )
    words = TfidfVectorizer(
        tokenizer=_words, token_pattern=None, lowercase=False, use_idf=False, max_features=FUNCTION_WORDS
    )
    return FeatureUnion([("grams", grams), ("words", words)])


def _words(text: str) -> list[str]:
    """Return the units of a text, or the text itself where it holds none: emoji alone."""
    return word_tokens(text) or [text]


def classifier(kinds: int = 2) -> LogisticRegression:
    """Return a balanced logistic regression between so many kinds: as sure of a rare speaker as of a frequent one."""
    solver = "liblinear" if kinds == 2 else "lbfgs"  # liblinear is several times faster, and knows two kinds only
    return LogisticRegression(C=INVERSE_REGULARISATION, class_weight="balanced", max_iter=300, solver=solver)


def fold_of(place: int, count: int, folds: int = FOLDS) -> int:
    """Return the contiguous fold of the text at `place` among `count`."""
    return min(folds - 1, place * folds // max(1, count))


def in_folds(texts: Sequence[str], folds: int = FOLDS) -> list[list[str]]:
    """Return the texts of each contiguous fold."""
    parts: list[list[str]] = [[] for _ in range(folds)]
    for place, text in enumerate(texts):
        parts[fold_of(place, len(texts), folds)].append(text)
    return parts


def out_of_fold_scores(matrix: csr_matrix, labels: NDArray[np.int64], fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each row of `matrix` the score for label 1 by a classifier that did not see its fold."""
    scores = np.zeros(len(labels))
    matrix = matrix.tocsr()
    for number in np.unique(fold):
        inside = fold == number
        fitted = classifier().fit(matrix[~inside], labels[~inside])
        scores[inside] = fitted.decision_function(matrix[inside])
    return scores


class Judges:
    """One judge a fold, fitted on all the others. by_label: the bundles of each fold by whose they are. What comes after
    the folds is read by every judge. What a feature is and how rare it is, is learned from all: that knows no labels."""

    def __init__(self, by_label: Mapping[str, Sequence[Sequence[str]]]) -> None:
        placed = [
            (text, label, k) for label, folds in by_label.items() for k, fold in enumerate(folds) for text in fold
        ]
        labels, fold = np.array([label for _, label, _ in placed]), np.array([k for _, _, k in placed])
        self._features = features()
        matrix = self._features.fit_transform([text for text, _, _ in placed]).tocsr()
        kinds = len(by_label)
        self._judges = [classifier(kinds).fit(matrix[fold != k], labels[fold != k]) for k in range(FOLDS)]

    def predictions(self, folds: Sequence[Sequence[str]]) -> NDArray[np.str_]:
        """Return whose each bundle is, as predicted by the judge that did not see its fold."""
        said = [
            judge.predict(self._features.transform(list(fold)))
            for judge, fold in zip(self._judges, folds, strict=True)
            if len(fold)
        ]
        return np.concatenate(said) if said else np.empty(0, dtype=str)
