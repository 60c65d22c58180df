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
LEAST_SPAN = 0.05  # between the persona's hits and false alarms; with less the judges know nothing


@dataclass(frozen=True, slots=True)
class Decisions:
    """What judges said, one a bundle, 1 for "it is the persona". generated: of the voice. real: of the person's own
    messages. others: of other people's."""

    generated: Numbers
    real: Numbers
    others: Numbers


def ratio(generated: Numbers, real: Numbers, others: Numbers) -> float:
    """(hit_gen - fa) / (hit_real - fa); not a number where judges can't tell the person from others."""
    alarm = others.mean() if len(others) else 0.0
    span = real.mean() - alarm
    return float((generated.mean() - alarm) / span) if span > LEAST_SPAN else float("nan")


def voice_ratio(made: Decisions) -> Figure:
    """The ratio with its interval."""
    return bootstrap(ratio, made.generated, made.real, made.others)


def resampled_ratio(made: Decisions) -> Numbers:
    """The ratio over resamplings that are the same for any generated texts of the same number."""
    return resampled(ratio, made.generated, made.real, made.others)


class Bench:
    """Judges of one persona against the rest, cross-fitted over the folds of one held-out part. seen: applied to each
    text before a judge sees it. size: characters a bundle, 0 = each message alone."""

    def __init__(
        self,
        mine: Sequence[str],
        others: Mapping[str, Sequence[str]],
        *,
        size: int = BUNDLE,
        seen: Callable[[str], str] = str,
    ) -> None:
        self._size = size
        self._seen = seen
        mine_folds = [self._bundled(part) for part in in_folds(mine)]
        by_speaker = [[self._bundled(part) for part in in_folds(said)] for said in others.values()]
        others_folds = [[text for folds in by_speaker for text in folds[k]] for k in range(FOLDS)]
        self._judges = Judges({ME: mine_folds, OTHERS: others_folds})
        self._real = self._judges.named(mine_folds) == ME
        self._alarms = self._judges.named(others_folds) == ME

    def decisions(self, generated: Sequence[str]) -> Decisions:
        """What the judges say of generated texts; each fold of them is judged by who did not see that fold."""
        found = self._judges.named([self._bundled(part) for part in in_folds(generated)]) == ME
        return Decisions(found.astype(float), self._real.astype(float), self._alarms.astype(float))

    def _bundled(self, texts: Sequence[str]) -> list[str]:
        return bundles([self._seen(text) for text in texts], self._size)


def among_speakers(
    real: Mapping[str, Sequence[str]],
    generated: Mapping[str, Sequence[str]],
    read: Mapping[str, Sequence[str]] | None = None,
    size: int = BUNDLE,
) -> Figure:
    """The ratio over K generated speakers: (AA_gen - 1/K) / (AA_real - 1/K), AA being how often judges name the right
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
    """Bundles of neighbours, then of the texts in other orders."""
    luck = random.Random(0)
    orders = [texts, *(luck.sample(texts, len(texts)) for _ in range(BUNDLINGS - 1))]
    return [bundle for order in orders for bundle in bundles(order, size)]


def _rates(judges: Judges, folds: Sequence[Sequence[str]], name: str) -> Numbers:
    """The share of each fold's bundles that the judges take for `name`'s."""
    named = (judges.named(folds) == name).astype(float)
    parts = np.split(named, np.cumsum([len(fold) for fold in folds])[:-1])
    return np.array([part.mean() for part in parts if len(part)])


def _ratio_among(speakers: int, *right: Numbers) -> float:
    """right: of each speaker's real bundles how often they were named right, fold by fold; then of each one's generated."""
    real, generated = (float(np.mean([one.mean() for one in half])) for half in (right[:speakers], right[speakers:]))
    span = real - 1 / speakers
    return (generated - 1 / speakers) / span if span > LEAST_SPAN else float("nan")
