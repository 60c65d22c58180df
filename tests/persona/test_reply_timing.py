"""The person's times: how long they wait, how fast they type, when they sleep."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from persona import reply_timing
from persona.reply_timing import (
    MAX_TYPING_SECONDS,
    SHARES,
    Habit,
    ReplyTiming,
    draw_of,
    quantiles_of,
    situations,
)

NIGHT = Habit(hours=(0.0,) * 8 + (1 / 16,) * 16, days=(1 / 7,) * 7)  # asleep from midnight to eight
TIMING = ReplyTiming(
    delays={
        "hot": quantiles_of([5.0, 10.0, 20.0]),
        "all": quantiles_of([60.0, 600.0]),
        "hot long": quantiles_of([90.0]),
    },
    typing=5.0,
    chats=NIGHT,
    timezone="Europe/Berlin",
)
NOON = datetime(2024, 1, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("is_hot", "characters", "draw", "seconds"),
    [(True, 10, 0.0, 5), (True, 10, 0.5, 10), (True, 500, 0.3, 90), (False, 10, 0.0, 60), (False, 500, 0.5, 330)],
)
def test_a_delay_is_of_its_situation_or_of_a_wider_one(
    is_hot: bool, characters: int, draw: float, seconds: float
) -> None:
    """What too few replies tell is taken from all."""
    assert TIMING.delay(is_hot=is_hot, characters=characters, draw=draw) == pytest.approx(seconds, rel=0.1)


def test_a_wait_has_its_bound() -> None:
    """However long the person took, and at night too."""
    assert TIMING.wait(NOON, is_hot=False, characters=9, draw=0.99, most=120.0) == 120.0
    assert TIMING.wait(NOON, is_hot=True, characters=9, draw=0.5, most=120.0) == pytest.approx(10)
    midnight = NOON.replace(hour=1)  # two o'clock in Berlin
    assert TIMING.wait(midnight, is_hot=True, characters=9, draw=0.0, most=120.0) == 120.0
    assert TIMING.wait(midnight, is_hot=True, characters=9, draw=0.0, most=9e9) == pytest.approx(6 * 3600 + 5)


def test_a_zone_may_be_half_an_hour_off() -> None:
    """Eight o'clock in Kolkata is half past two in UTC."""
    kolkata = TIMING.model_copy(update={"timezone": "Asia/Kolkata"})
    midnight = NOON.replace(hour=1)  # half past six there
    assert kolkata.wait(midnight, is_hot=True, characters=9, draw=0.0, most=9e9) == pytest.approx(1.5 * 3600 + 5)


def test_the_same_message_waits_as_long_again() -> None:
    """A restart draws nothing anew; another message is another draw."""
    assert draw_of("discord:1", "5") == draw_of("discord:1", "5") != draw_of("discord:1", "6")
    draws = [draw_of("discord:1", str(number)) for number in range(500)]
    assert all(0 <= draw < 1 for draw in draws)
    assert sum(draws) / len(draws) == pytest.approx(0.5, abs=0.05)


def test_whoever_always_writes_never_sleeps() -> None:
    """Nor does somebody of whom nothing is known, or who lives in a zone that is not known here."""
    assert TIMING.is_asleep(NOON.replace(hour=2))
    assert not TIMING.is_asleep(NOON)
    assert not ReplyTiming().is_asleep(NOON.replace(hour=2))
    assert TIMING.model_copy(update={"timezone": "Mars/Olympus"}).is_asleep(NOON.replace(hour=2))
    nobody = Habit(hours=(0.0,) * 24, days=(0.0,) * 7)
    sleeper = TIMING.model_copy(update={"chats": nobody})
    assert sleeper.wait(NOON, is_hot=True, characters=9, draw=0.0, most=60.0) == pytest.approx(5)


def test_typing_takes_as_long_as_the_text_is() -> None:
    """Up to what anybody watches."""
    assert TIMING.typing_seconds("x" * 50) == 10.0
    assert TIMING.typing_seconds("x" * 5000) == MAX_TYPING_SECONDS
    assert ReplyTiming().typing_seconds("hello") is None


def test_what_is_sealed_is_read_again(tmp_path: Path) -> None:
    """A bundle without the file, or with a broken one, has no times."""
    path = tmp_path / reply_timing.FILE
    assert reply_timing.load(path) is None
    path.write_text(TIMING.model_dump_json(), encoding="utf-8")
    assert reply_timing.load(path) == TIMING
    path.write_text("{", encoding="utf-8")
    assert reply_timing.load(path) is None
    assert len(TIMING.delays["all"]) == len(SHARES)
    assert situations(True, 41) == ("hot middling", "hot", "all")
