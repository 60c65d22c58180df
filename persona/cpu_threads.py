"""How threads of a computation wait for each other. To be settled before PyTorch is imported."""

import os

SPIN_COUNT = 1000  # chosen with bench/busy.py: no slower on a quiet machine, at most twice as slow on a busy one
_CHOICES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def bound_spinning() -> None:
    """Let OpenMP's threads spin briefly at a barrier and then sleep, unless the user chose otherwise.

    They spin for milliseconds by default: beside any other program a step then takes up to twenty times as long. GNU's
    OpenMP reads this once, when it is loaded."""
    if not any(name in os.environ for name in _CHOICES):
        os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)
