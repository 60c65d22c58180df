"""How long to wait before the next try. Pure: the random number is an argument."""

import random
from collections.abc import Callable

JITTER = 0.25  # of a pause: many that failed together must not come back together


class Backoff:
    """Pauses that double from `first` to `longest` seconds, each up to a quarter shorter. draw: a random number in [0, 1)."""

    def __init__(self, first: float, longest: float, draw: Callable[[], float] = random.random) -> None:
        self._first = self._next = first
        self._longest = longest
        self._draw = draw

    def pause(self, at_least: float = 0.0) -> float:
        """Return the seconds to wait now. at_least: what the other side asked for; it is never shortened."""
        base = max(self._next, at_least)
        self._next = min(2 * base, self._longest)
        shorter = base * (1 - JITTER * self._draw())
        return shorter if shorter >= at_least else at_least + base * JITTER * self._draw()

    def reset(self) -> None:
        """Begin anew with the first pause."""
        self._next = self._first
