"""Pauses between tries."""

from bot.backoff import Backoff


def test_pauses_double_up_to_the_longest_and_begin_anew() -> None:
    """A draw of 0 leaves them whole."""
    backoff = Backoff(1.0, 5.0, draw=lambda: 0.0)
    assert [backoff.pause() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.pause() == 1.0


def test_those_who_failed_together_come_back_apart() -> None:
    """Up to a quarter earlier, by the draw."""
    assert Backoff(8.0, 60.0, draw=lambda: 0.5).pause() == 7.0
    assert Backoff(8.0, 60.0, draw=lambda: 0.999).pause() > 6.0


def test_what_the_other_side_asked_for_is_never_shortened() -> None:
    """And its end is jittered too: all who wait for it were told the same second."""
    for draw in (0.0, 0.3, 0.999):
        assert 30.0 <= Backoff(1.0, 60.0, draw=lambda draw=draw: draw).pause(at_least=30.0) <= 37.5  # type: ignore[misc]
