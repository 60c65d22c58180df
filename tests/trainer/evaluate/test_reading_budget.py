"""How much an evaluation reads, in numbers worked out by hand."""

import math
from collections.abc import Callable

import pytest

from trainer.evaluate.reading_budget import FEWEST_READ, FEWEST_REPLIES, Reading, reading_within
from trainer.evaluate.reply_context import spread


def costing(a_turn: float) -> Callable[[int], float]:
    return lambda turns: 10 + a_turn * turns


def test_without_a_limit_nothing_is_left_out_and_nothing_is_counted() -> None:
    """As 'python -m trainer evaluate' measures."""
    assert reading_within(math.inf, lambda _: pytest.fail("counted")) == Reading()


@pytest.mark.parametrize(
    ("tokens", "turns"), [(FEWEST_READ * 210, 20), (FEWEST_READ * 209, 8), (FEWEST_READ * 20, 1), (1, 1)]
)
def test_as_many_turns_are_read_as_leave_enough_for_the_fewest_messages(tokens: float, turns: int) -> None:
    """Ten tokens a turn, and ten more; one turn at least."""
    assert reading_within(tokens, costing(10)).turns == turns


def test_the_tokens_are_shared_out() -> None:
    """Of 100,000 tokens, in prompts of 210: a third for the figures' replies, four tenths to choose the sampling."""
    reading = reading_within(100_000, costing(10))
    assert reading.replies == pytest.approx(30_000 / 210)
    assert reading.calibrating == pytest.approx(40_000 / 210)
    assert reading.positions == pytest.approx(10_000 / 20)
    assert reading_within(1, costing(10)).replies == FEWEST_REPLIES


@pytest.mark.parametrize("count", [0, 1, 2, 100, 431])
def test_every_beginning_of_a_spread_order_is_spread(count: int) -> None:
    """No part of ten is left out by the first thirty, none has more than twice its share, and every place comes once."""
    order = spread(count)
    assert sorted(order) == list(range(count))
    if count >= 100:
        tenths = [sum(place * 10 // count == tenth for place in order[:30]) for tenth in range(10)]
        assert min(tenths) >= 2
        assert max(tenths) <= 4
