"""Dates in the notations and calendars of phones."""

from datetime import UTC, datetime, time

import pytest

from trainer.sources.parsing.local_dates import DateOrder, weekday, written_time


def moment(text: str) -> str:
    written = written_time(text)
    assert written is not None
    at = DateOrder().timestamp(written)
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13/6/2561, 21:25", "2018-06-13 21:25"),  # Thai
        ("13/6/61, 21:25", "2018-06-13 21:25"),
        ("۱۴۰۰/۱/۱، ۱۸:۴۴", "2021-03-21 18:44"),  # Persian
        ("1403/12/30, 09:00", "2025-03-20 09:00"),
        ("١‏/٩‏/١٤٤٥، ٩:٠٥ م", "2024-03-11 21:05"),  # Islamic, Umm al-Qura
        ("1/1/1445, 09:05", "2023-07-19 09:05"),
        ("R6/3/5 21:25", "2024-03-05 21:25"),  # Japanese
        ("令和6年3月5日 21:25", "2024-03-05 21:25"),
        ("平成31年4月30日 21:25", "2019-04-30 21:25"),
        ("令和元年5月1日 21:25", "2019-05-01 21:25"),
        ("㋿6年3月5日 21:25", "2024-03-05 21:25"),
        ("113/3/5 21:25", "2024-03-05 21:25"),  # Taiwan
        ("2021/5/30, 18:44", "2021-05-30 18:44"),
        ("21:25, 13/06/2018", "2018-06-13 21:25"),  # time first
        ("9:25 PM, 6/13/2018", "2018-06-13 21:25"),
        ("13/06/2018, 24:05", "2018-06-14 00:05"),
        ("13/06/1750, 21:25", ""),  # no calendar's year of a phone
        ("13/06/5784, 21:25", ""),
        ("13/06/0018, 21:25", ""),
        ("5/6/04, 21:25", ""),  # older than the apps that write two digits
    ],
)
def test_the_calendars_of_phones_are_right_or_refused(text: str, expected: str) -> None:
    """Never a wrong year."""
    assert moment(text) == expected


def test_the_weekday_decides_day_and_month() -> None:
    """The first of February 2026 is a Sunday, the second of January is not."""
    written = written_time("2/1/2026 10:00")
    assert written is not None
    order, dated = DateOrder(), written._replace(weekday=weekday("Sun"))
    order.see(dated)
    at = order.timestamp(dated)
    assert at is not None and datetime.fromtimestamp(at, UTC).strftime("%m-%d") == "02-01"


@pytest.mark.parametrize(
    ("text", "day"), [("Sun", 6), ("(木)", 3), ("周日", 6), ("일요일", 6), ("Thursday", 3), ("(Lun)", 0), ("?", None)]
)
def test_days_of_the_week(text: str, day: int | None) -> None:
    """In the languages that write them beside dates."""
    assert weekday(text) == day


@pytest.mark.parametrize(
    ("morning", "evening"),
    [
        ("1/3/24, 9:05 ព្រឹក", "1/3/24, 9:05 ល្ងាច"),
        ("1/3/24, 9:05 ਪੂ.ਦੁ.", "1/3/24, 9:05 ਬਾ.ਦੁ."),
        ("2024-03-01, පෙ.ව. 9:05", "2024-03-01, ප.ව. 9:05"),
        ("1.3.24, 9:05 e paradites", "1.3.24, 9:05 e pasdites"),
        ("1/3/2024 9:05 صبح", "1/3/2024 9:05 شام"),
    ],
)
def test_halves_of_the_day_in_more_languages(morning: str, evening: str) -> None:
    """No word of theirs makes a notation of its own."""
    early, late = written_time(morning), written_time(evening)
    assert early
    assert late
    assert (early.clock, late.clock) == (time(9, 5), time(21, 5))
    assert early.words == late.words


def test_digits_of_other_scripts_are_not_american() -> None:
    """India puts the day first, whatever its halves of the day are called."""
    assert [
        written.american for text in ("3/14/21, 9:04 PM", "১৪/৩/২১, ৯:০৪ PM") if (written := written_time(text))
    ] == [
        True,
        False,
    ]
