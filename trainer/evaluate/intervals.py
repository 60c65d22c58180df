"""Figures with the interval in which chance could have put them: percentile bootstrap (Efron 1979)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLINGS = 400  # resamplings
CONFIDENCE = 0.95

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and the 95% interval around it."""

    value: float
    low: float
    high: float

    @property
    def plain(self) -> list[float]:
        """[value, low, high], rounded, as reports hold it."""
        return [round(number, 4) for number in (self.value, self.low, self.high)]


def bootstrap(
    statistic: Callable[..., float], *samples: Numbers, times: int = RESAMPLINGS, centred: bool = False
) -> Figure:
    """Return `statistic` of the samples, and where it falls when each is resampled from itself, row by row. centred: of
    statistics that a sample drawn twice moves (distinct words, distances) the interval is put around the value."""
    value = float(statistic(*samples))
    low, high = _quantiles(resampled(statistic, *samples, times=times))
    shift = value - (low + high) / 2 if centred else 0.0
    return Figure(value, low + shift, high + shift)


def resampled(statistic: Callable[..., float], *samples: Numbers, times: int = RESAMPLINGS, seed: int = 0) -> Numbers:
    """Return `statistic` of `times` resamplings; those that leave it undefined are left out. The same seed draws
    the same rows, so that two figures over the same samples can be compared resampling by resampling."""
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(*(sample[rng.integers(0, len(sample), len(sample))] for sample in samples)) for _ in range(times)
    ]
    values: Numbers = np.array(drawn, dtype=float)
    finite: Numbers = values[np.isfinite(values)]
    return finite


def difference(ours: Numbers, theirs: Numbers) -> Figure:
    """Return the mean of paired resamplings' differences, ours less theirs."""
    differences = ours[: len(theirs)] - theirs[: len(ours)]
    return Figure(float(differences.mean()) if len(differences) else 0.0, *_quantiles(differences))


def _quantiles(values: Numbers) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
