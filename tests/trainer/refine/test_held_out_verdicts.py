"""What held-out votes say: chance passes nothing, however few they are."""

import numpy as np
import pytest

from trainer.refine.held_out_verdicts import MAX_CHANCE, preference


def test_clear_preferences_pass_and_none_is_half() -> None:
    """An adapter that has learned nothing has all rewards alike: exactly .5."""
    rng = np.random.default_rng(1)
    clear = preference(rng.normal(1.5, 1, 25), rng.normal(0, 1, 25))
    assert clear.accuracy
    assert (clear.accuracy.value > 0.75, clear.objection) == (True, "")
    same = preference(np.zeros(25), np.zeros(25))
    assert same.accuracy
    assert (same.accuracy.value, same.chance) == (0.5, 1.0)
    assert "may be chance" in same.objection


def test_two_votes_prove_nothing() -> None:
    """Rightly ordered or not; and of one sort alone there are no pairs."""
    assert preference(np.array([1.0, 2.0]), np.array([0.0])).chance == pytest.approx(1 / 3, abs=0.02)
    assert "go on voting" in preference(np.array([1.0, 2.0]), np.array([0.0])).objection
    alone = preference(np.array([1.0, 2.0]), np.array([]))
    assert (alone.accuracy, "2 are for an answer and 0 against" in alone.objection) == (None, True)


def test_random_votes_pass_as_seldom_as_stated() -> None:
    """Of 30 draws of 12 against 12 not clearly more than one in a hundred."""
    rng = np.random.default_rng(0)
    passed = sum(preference(rng.normal(size=12), rng.normal(size=12)).chance <= MAX_CHANCE for _ in range(30))
    assert passed <= 2
