"""Voice ratio: how often judges take the generated for the person, between chance (0) and the person themselves (1)."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from trainer.evaluate.intervals import Figure, Numbers, bootstrap, resampled
from trainer.evaluate.judges import BUNDLE, FOLDS, Judges, bundles, in_folds

ME, OTHERS = "me", "others"
BUNDLINGS = 8  # orders in which the messages of each among several speakers are bundled
MIN_JUDGE_SPAN = 0.05  # between hits and false positives; with less the judges know nothing


@dataclass(frozen=True, slots=True)
class Decisions:
    """What judges decide, a number a bundle, 1 for "it is the persona": of generated texts, of the person's real messages and
    of other people's."""

    generated: Numbers
    real: Numbers
    others: Numbers


def ratio(generated: Numbers, real: Numbers, others: Numbers) -> float:
    """Return (hit_gen - fa) / (hit_real - fa); not a number if judges can't tell the person from others."""
    false_positive_rate = others.mean() if len(others) else 0.0
    span = real.mean() - false_positive_rate
    return float((generated.mean() - false_positive_rate) / span) if span > MIN_JUDGE_SPAN else float("nan")


def voice_ratio(decisions: Decisions) -> Figure:
    """Return the ratio with its interval."""
    return bootstrap(ratio, decisions.generated, decisions.real, decisions.others)


def resampled_ratio(decisions: Decisions) -> Numbers:
    """Return the ratio over resamplings that are the same for any generated texts of the same number."""
    return resampled(ratio, decisions.generated, decisions.real, decisions.others)


class PersonaJudge:
    """Judges of one persona against the rest, cross-fitted over the folds of one held-out split. transform: applied to each
    text before a judge sees it. size: characters a bundle, 0 = each message alone."""

    def __init__(
        self,
        contexts: Sequence[str],
        others: Mapping[str, Sequence[str]],
        *,
        size: int = BUNDLE,
        transform: Callable[[str], str] = str,
    ) -> None:
        self._size = size
        self._transform = transform
        mine_folds = [self._bundled(part) for part in in_folds(contexts)]
        by_speaker = [[self._bundled(part) for part in in_folds(said)] for said in others.values()]
        others_folds = [[text for folds in by_speaker for text in folds[k]] for k in range(FOLDS)]
        self._judges = Judges({ME: mine_folds, OTHERS: others_folds})
        self._real = self._judges.predictions(mine_folds) == ME
        self._false_positives = self._judges.predictions(others_folds) == ME

    def decisions(self, generated: Sequence[str]) -> Decisions:
        """Return the decisions on generated texts; each fold is judged by the judge that did not see it."""
        is_me = self._judges.predictions([self._bundled(part) for part in in_folds(generated)]) == ME
        return Decisions(is_me.astype(float), self._real.astype(float), self._false_positives.astype(float))

    def _bundled(self, texts: Sequence[str]) -> list[str]:
        return bundles([self._transform(text) for text in texts], self._size)


def among_speakers(
    real: Mapping[str, Sequence[str]],
    generated: Mapping[str, Sequence[str]],
    read: Mapping[str, Sequence[str]] | None = None,
    size: int = BUNDLE,
) -> Figure:
    """Return the ratio over K generated speakers: (AA_gen - 1/K) / (AA_real - 1/K), AA being how often judges name the right
    one of K, averaged over speakers. read: other messages by which judges get to know them, not trained on either.
    Bundled in several ways, since a few messages make few bundles; the interval is over folds, which stay apart."""
    names = sorted(generated)
    folds = {name: [_bundled_often(part, size) for part in in_folds(real[name])] for name in names}
    more = {name: _bundled_often(said, size) for name, said in (read or {}).items()}
    judges = Judges({name: [*folds[name], more.get(name, [])] for name in names})
    made = {name: [_bundled_often(part, size) for part in in_folds(generated[name])] for name in names}
    right = [_rates(judges, of[name], name) for of in (folds, made) for name in names]
    return bootstrap(partial(_ratio_among, len(names)), *right)


def _bundled_often(texts: Sequence[str], size: int) -> list[str]:
    """Return bundles of neighbours, then of the texts in other orders."""
    rng = random.Random(0)
    orders = [texts, *(rng.sample(texts, len(texts)) for _ in range(BUNDLINGS - 1))]
    return [bundle for order in orders for bundle in bundles(order, size)]


def _rates(judges: Judges, folds: Sequence[Sequence[str]], name: str) -> Numbers:
    """Return the share of each fold's bundles that the judges attribute to `name`."""
    predictions = (judges.predictions(folds) == name).astype(float)
    parts = np.split(predictions, np.cumsum([len(fold) for fold in folds])[:-1])
    return np.array([part.mean() for part in parts if len(part)])


def _ratio_among(speakers: int, *right: Numbers) -> float:
    """right: of each speaker's real bundles how often they were named right, fold by fold; then of each one's generated."""
    real, generated = (
        float(np.mean([rates.mean() for rates in half])) for half in (right[:speakers], right[speakers:])
    )
    span = real - 1 / speakers
    return (generated - 1 / speakers) / span if span > MIN_JUDGE_SPAN else float("nan")
