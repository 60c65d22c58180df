"""When a random tweet is due, clock changes included."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.timeline import next_due, within_hours
from persona.config import Tweets

BERLIN = {"timezone": "Europe/Berlin", "hours": "09:00-23:00", "every": "6h", "jitter": "0s"}


def due(now: str, luck: float = 0.5, **changes: str) -> str:
    settings = Tweets(**{**BERLIN, **changes})  # type: ignore[arg-type]
    moment = next_due(datetime.fromisoformat(now).astimezone(UTC), settings, luck)
    assert within_hours(moment, settings)
    return moment.astimezone(datetime.fromisoformat(now).tzinfo).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2024-06-01T09:00+02:00", "2024-06-01T15:00+02:00"),
        ("2024-06-01T16:59+02:00", "2024-06-01T22:59+02:00"),
        ("2024-06-01T17:00+02:00", "2024-06-02T09:00+02:00"),
        ("2024-06-01T23:30+02:00", "2024-06-02T09:00+02:00"),
        (
            "2024-03-30T20:00+01:00",
            "2024-03-31T08:00+01:00",
        ),  # the night without 02:30: nine o'clock comes an hour early
        ("2024-10-26T20:00+02:00", "2024-10-27T10:00+02:00"),  # the night with 02:30 twice: an hour later
    ],
)
def test_the_next_tweet_is_due_inside_the_hours(now: str, expected: str) -> None:
    """Local hours, whatever the clock does in the night."""
    assert due(now) == expected


def test_jitter_lies_on_both_sides() -> None:
    """Up to so much earlier or later."""
    found = {due("2024-06-01T10:00+02:00", luck, jitter="1h") for luck in (0.0, 0.5, 0.999)}
    assert found == {"2024-06-01T15:00+02:00", "2024-06-01T16:00+02:00", "2024-06-01T16:59+02:00"}


def test_jitter_larger_than_the_interval_never_goes_back_in_time() -> None:
    """At least a second ahead."""
    now = datetime(2024, 6, 1, 12, tzinfo=UTC)
    settings = Tweets(every="10m", jitter="5h", hours="00:00-00:00")  # type: ignore[arg-type]
    assert next_due(now, settings, 0.0) >= now + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("hours", "moment", "allowed"),
    [
        ("22:00-02:00", "2024-06-01T23:00+02:00", True),
        ("22:00-02:00", "2024-06-01T01:59+02:00", True),
        ("22:00-02:00", "2024-06-01T02:00+02:00", False),
        ("00:00-24:00", "2024-06-01T05:00+02:00", True),
        ("09:00-23:00", "2024-06-01T08:59+02:00", False),
    ],
)
def test_hours_may_span_midnight(hours: str, moment: str, allowed: bool) -> None:
    """And equal ones mean always."""
    settings = Tweets(**{**BERLIN, "hours": hours})  # type: ignore[arg-type]
    assert within_hours(datetime.fromisoformat(moment), settings) is allowed
