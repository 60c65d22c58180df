"""Dates of other calendars as Gregorian dates; unknown years are refused.

The calendar is told by the year alone: a phone's export falls between 1990 and 2050, and in that span the years of the
Persian (1369-1429), Islamic (1430-1462) and Thai (2533-2593) calendars don't overlap.
"""

from datetime import date, timedelta

FIRST_YEAR, LAST_YEAR = 1990, 2050
FIRST_SHORT_YEAR = 2009  # of two digits: no app that writes those is older

_ERAS = {
    **dict.fromkeys(("令和", "㋿", "R"), 2018),
    **dict.fromkeys(("平成", "㍻", "H"), 1988),
    "民國": 1911,
    "民国": 1911,
    "พ.ศ.": -543,
}  # year 1 is one more
_REPUBLIC = 1911  # Taiwan's year 1 is 1912, written in three digits
_THAI = 543  # counted from 543 BC
_THAI_CENTURY = 2500
# Umm al-Qura, the calendar of Saudi phones, is published and not computed: for each year from 1428 on, a bit a month, first
# month highest, set where it has 30 days (Unicode CLDR's islamic-umalqura).
_ISLAMIC_FIRST = 1428
_ISLAMIC_EPOCH = date(2007, 1, 20)
_ISLAMIC_MONTHS = (
    0x93B, 0x49B, 0x655, 0x6A9, 0x754, 0xB6A, 0x56C, 0xAAD, 0x555, 0xB29, 0xB92, 0xBA9, 0x5D4, 0xADA, 0x55A, 0xAAB, 0x595,
    0x749, 0x764, 0xBAA, 0x5B5, 0x2B6, 0xA56, 0xE4D, 0xB25, 0xB52, 0xB6A, 0x5AD, 0x2AE, 0x92F, 0x497, 0x64B, 0x6A5, 0x6AC,
)  # fmt: skip
_PERSIAN_EPOCH = date(1990, 3, 21), 1369
_PERSIAN_LEAPS = (1, 5, 9, 13, 17, 22, 26, 30)  # years of the 33-year cycle with 30 days in the last month


def gregorian(year: int, month: int, day: int, era: str = "") -> date:
    """Return the Gregorian date.

    era: the era's name as written, empty if there is none. Raises ValueError
    if there is no such date, or if the year is of no calendar known here.
    """
    if era:
        return _checked(date(_ERAS[era] + year, month, day))
    if 1369 <= year < 1430:
        return _persian(year, month, day)
    if 1430 <= year < _ISLAMIC_FIRST + len(_ISLAMIC_MONTHS):
        return _islamic(year, month, day)
    return _checked(date(_western(year), month, day))


def _western(year: int) -> int:
    """Return the Gregorian year of one that is written with the Gregorian months."""
    if year < 100:
        whole = 2000 + year if year <= LAST_YEAR - 2000 else _THAI_CENTURY - _THAI + year
        return whole if whole >= FIRST_SHORT_YEAR else 0
    if year < 1000:
        return _REPUBLIC + year
    return year - _THAI if year > LAST_YEAR else year


def _checked(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"the year {day.year} is of an unknown calendar")
    return day


def _islamic(year: int, month: int, day: int) -> date:
    if not 1 <= month <= 12 or not 1 <= day <= _islamic_days(year, month):
        raise ValueError("no such day")
    passed = sum(348 + _ISLAMIC_MONTHS[before - _ISLAMIC_FIRST].bit_count() for before in range(_ISLAMIC_FIRST, year))
    passed += sum(_islamic_days(year, before) for before in range(1, month))
    return _ISLAMIC_EPOCH + timedelta(passed + day - 1)


def _islamic_days(year: int, month: int) -> int:
    return 29 + (_ISLAMIC_MONTHS[year - _ISLAMIC_FIRST] >> (12 - month) & 1)


def _persian(year: int, month: int, day: int) -> date:
    last = 31 if month <= 6 else 30 if month <= 11 or year % 33 in _PERSIAN_LEAPS else 29
    if not 1 <= month <= 12 or not 1 <= day <= last:
        raise ValueError("no such day")
    epoch, first = _PERSIAN_EPOCH
    leaps = sum(before % 33 in _PERSIAN_LEAPS for before in range(first, year))
    months = 31 * (month - 1) - max(0, month - 7)
    return epoch + timedelta(365 * (year - first) + leaps + months + day - 1)
