"""How likely the model must find it that the persona is next before it speaks unasked. Calibrated by the trainer. Pure."""

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

STEPS = 20  # shares of the person's turns for which a threshold is sealed


class SpeakingUp(BaseModel):
    """How likely the persona's header is where the person spoke. rate: after how many of others' messages they spoke next,
    as a share. thresholds: log-probabilities (nats) from which on it speaks, for 1/STEPS, 2/STEPS, … of the person's turns."""

    model_config = ConfigDict(frozen=True)

    rate: float
    thresholds: tuple[float, ...]

    def threshold(self, share: float) -> float:
        """Return the log-probability from which on it speaks. share: of the person's turns, [talk] unprompted; for 0 it is
        infinite."""
        if share <= 0:
            return math.inf
        points = (0.0, *self.thresholds)
        place = min(share, 1.0) * (len(points) - 1)
        below = min(int(place), len(points) - 2)
        return points[below] + (place - below) * (points[below + 1] - points[below])


def speaking_up(log_probs: Sequence[float], rate: float) -> SpeakingUp:
    """Return the thresholds above which so many of these log-probabilities lie as the person spoke. rate: see SpeakingUp."""
    ranked = sorted(log_probs, reverse=True)
    return SpeakingUp(rate=rate, thresholds=tuple(_cut(ranked, step / STEPS * rate) for step in range(1, STEPS + 1)))


def _cut(ranked: Sequence[float], share: float) -> float:
    """Return the value that parts the largest `share` from the rest."""
    count = min(max(1, round(share * len(ranked))), len(ranked) - 1)
    return round((ranked[count - 1] + ranked[count]) / 2, 4)
