"""When a random tweet is due, clock changes included."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.gateway import Limits
from bot.store import BotStore
from bot.timeline import JOB, Timeline, is_allowed, next_due, opening_after, preview
from persona.config import Tweets
from persona.reply_timing import Habit, ReplyTiming
from tests.bot.rooms import Clock

BERLIN = {"timezone": "Europe/Berlin", "hours": "09:00-23:00", "every": "6h", "jitter": "0s"}


def due(now: str, draw: float = 0.5, **changes: object) -> str:
    settings = Tweets(**{**BERLIN, **changes})  # type: ignore[arg-type]
    moment = next_due(datetime.fromisoformat(now).astimezone(UTC), settings, draw)
    assert is_allowed(moment, settings)
    return moment.astimezone(datetime.fromisoformat(now).tzinfo).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2024-06-01T09:00+02:00", "2024-06-01T15:00+02:00"),
        ("2024-06-01T16:59+02:00", "2024-06-01T22:59+02:00"),
        ("2024-06-01T17:00+02:00", "2024-06-02T09:00+02:00"),
        ("2024-06-01T23:30+02:00", "2024-06-02T09:00+02:00"),
    ],
)
def test_the_next_tweet_is_due_inside_the_hours(now: str, expected: str) -> None:
    """Else when they begin again."""
    assert due(now) == expected


@pytest.mark.parametrize(
    ("moment", "hours", "opening"),
    [
        # 31 March 2024: the clock jumps from 02:00 (+01:00) to 03:00 (+02:00)
        ("2024-03-30T23:30+01:00", "09:00-23:00", "2024-03-31T07:00+00:00"),
        ("2024-03-30T23:30+01:00", "01:30-23:00", "2024-03-31T00:30+00:00"),
        ("2024-03-30T23:30+01:00", "02:30-23:00", "2024-03-31T01:30+00:00"),  # skipped: an hour's half later
        ("2024-03-30T23:30+01:00", "03:00-23:00", "2024-03-31T01:00+00:00"),
        # 27 October 2024: the clock goes back from 03:00 (+02:00) to 02:00 (+01:00)
        ("2024-10-26T23:30+02:00", "09:00-23:00", "2024-10-27T08:00+00:00"),
        ("2024-10-26T23:30+02:00", "01:30-23:00", "2024-10-26T23:30+00:00"),
        ("2024-10-26T23:30+02:00", "02:30-23:00", "2024-10-27T00:30+00:00"),  # comes twice: the first counts
        ("2024-10-26T23:30+02:00", "03:00-23:00", "2024-10-27T02:00+00:00"),
    ],
)
def test_the_hours_begin_once_in_both_nights_of_the_clock_change(moment: str, hours: str, opening: str) -> None:
    """What is skipped falls after the gap; what comes twice counts once."""
    settings = Tweets(**{**BERLIN, "hours": hours})  # type: ignore[arg-type]
    start = datetime.fromisoformat(moment).astimezone(UTC)
    found = opening_after(start, settings)
    assert found.isoformat(timespec="minutes") == opening
    assert is_allowed(found, settings)
    assert opening_after(found + timedelta(seconds=1), settings) - found > timedelta(hours=22)


@pytest.mark.parametrize(
    ("now", "days", "expected"),
    [
        ("2024-06-01T17:00+02:00", ("mon", "wed"), "2024-06-03T09:00+02:00"),  # a Saturday
        ("2024-06-03T10:00+02:00", ("mon", "wed"), "2024-06-03T16:00+02:00"),
        ("2024-06-03T20:00+02:00", ("mon",), "2024-06-10T09:00+02:00"),
    ],
)
def test_days_count(now: str, days: tuple[str, ...], expected: str) -> None:
    """In the time zone's calendar."""
    assert due(now, days=days) == expected


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    """Saturday night goes on into Sunday."""
    settings = Tweets(**{**BERLIN, "hours": "22:00-02:00", "days": ("sat",)})  # type: ignore[arg-type]
    assert is_allowed(datetime.fromisoformat("2024-06-02T01:00+02:00"), settings)
    assert not is_allowed(datetime.fromisoformat("2024-06-01T01:00+02:00"), settings)
    assert not is_allowed(datetime.fromisoformat("2024-06-02T23:00+02:00"), settings)


def own_hours(*hours: int, zone: str = "UTC") -> ReplyTiming:
    """Somebody who tweets in these hours of every day."""
    shares = tuple(float(hour in hours) / len(hours) for hour in range(24))
    return ReplyTiming(tweets=Habit(hours=shares, days=(1 / 7,) * 7), timezone=zone)


def test_tweets_come_at_the_persons_hours() -> None:
    """As often as `every` says, where tweets are allowed; a person who never tweets then has no say."""
    settings = Tweets(every="12h", jitter="1h", hours="00:00-00:00")  # type: ignore[arg-type]
    now, rng = datetime(2024, 6, 1, 12, 30, tzinfo=UTC), random.Random(0)
    found = preview(now, settings, rng.random, days=28, timing=own_hours(7, 20))
    assert {moment.hour for moment in found} == {7, 20}
    assert len(found) == pytest.approx(56, abs=2)
    monthly = Tweets(every="30d", jitter="0s", hours="00:00-00:00")  # type: ignore[arg-type]
    assert next_due(now, monthly, 0.5, own_hours(20)) - now == pytest.approx(timedelta(days=30), abs=timedelta(days=1))
    day = Tweets(every="12h", jitter="0s", hours="09:00-18:00")  # type: ignore[arg-type]
    assert next_due(now, day, 0.5, own_hours(20)) == next_due(now, day, 0.5)
    assert next_due(now, day, 0.5, own_hours(20, zone="Asia/Tokyo")).hour == 11
    short = Tweets(every="12h", jitter="0s", hours="20:00-20:10")  # type: ignore[arg-type]
    assert all(is_allowed(moment, short) for moment in preview(now, short, rng.random, days=60, timing=own_hours(20)))


def test_jitter_lies_on_both_sides() -> None:
    """Up to so much earlier or later."""
    found = {due("2024-06-01T10:00+02:00", draw, jitter="1h") for draw in (0.0, 0.5, 0.999)}
    assert found == {"2024-06-01T15:00+02:00", "2024-06-01T16:00+02:00", "2024-06-01T16:59+02:00"}


def test_jitter_larger_than_the_interval_never_goes_back_in_time() -> None:
    """At least a second ahead."""
    now = datetime(2024, 6, 1, 12, tzinfo=UTC)
    settings = Tweets(every="10m", jitter="5h", hours="00:00-00:00")  # type: ignore[arg-type]
    assert next_due(now, settings, 0.0) >= now + timedelta(seconds=1)


@pytest.mark.parametrize("draw", [0.0, 0.3, 0.7, 0.999])
def test_jitter_stays_inside_short_hours(draw: float) -> None:
    """Ten minutes a day are ten minutes."""
    assert due("2024-06-01T12:00+02:00", draw, hours="09:00-09:10", jitter="5h").startswith("2024-06-02T09:0")


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
    assert is_allowed(datetime.fromisoformat(moment), settings) is allowed


def test_a_week_is_foreseen_from_what_is_due_already() -> None:
    """Over a clock change, in the allowed hours alone; what became due in the night comes in the morning."""
    settings = Tweets(**BERLIN)  # type: ignore[arg-type]
    now = datetime(2024, 3, 30, 12, 0, tzinfo=UTC)
    week = preview(now, settings, lambda: 0.5, first=datetime(2024, 3, 30, 3, 0, tzinfo=UTC))
    assert week[0] == now
    assert week[-1] < now + timedelta(days=7)
    assert all(is_allowed(one, settings) for one in week)
    assert [one.isoformat() for one in week[1:5]] == [
        "2024-03-30T18:00:00+00:00",
        "2024-03-31T07:00:00+00:00",
        "2024-03-31T13:00:00+00:00",
        "2024-03-31T19:00:00+00:00",
    ]
    night = preview(now, settings, lambda: 0.5, first=datetime(2024, 3, 31, 3, 0, tzinfo=UTC))
    assert night[0].isoformat() == "2024-03-31T07:00:00+00:00"


def test_tweets_without_end_are_foreseen_in_part() -> None:
    """One a second would make a page of half a million."""
    settings = Tweets(**{**BERLIN, "every": "1s"})  # type: ignore[arg-type]
    assert len(preview(datetime(2024, 6, 1, 12, 0, tzinfo=UTC), settings, lambda: 0.5, most=40)) == 40


async def started(store: BotStore, settings: Tweets) -> float:
    """Seconds until the next tweet, once a timeline of these settings was started."""
    limits = {"discord": Limits(9, True)}
    timeline = Timeline(store, None, settings, lambda _: "", print, limits, None)  # type: ignore[arg-type]
    await timeline.start()
    timeline.close()
    due = await store.timetable.due_at(JOB)
    assert due is not None
    return due - store.clock()


async def test_settings_that_changed_hold_from_the_next_start(tmp_path: Path) -> None:
    """A stored due time of other settings could win for a month. What is overdue is posted at once, as ever."""
    clock = Clock()
    store = await BotStore.open("sqlite:///store.db", tmp_path, clock)
    always = {"hours": "00:00-00:00", "jitter": "0s"}
    month, hour = Tweets(every="30d", **always), Tweets(every="1h", **always)  # type: ignore[arg-type]
    assert await started(store, month) == 30 * 86400
    clock.now += 60
    assert await started(store, month) == 30 * 86400 - 60
    assert await started(store, hour) == 3600
    assert await started(store, month) == 30 * 86400
    await started(store, hour)
    clock.now += 7200
    assert await started(store, month) == -3600
    await store.close()
