"""Dates and times as devices write them in their users' languages.

No zone is written, so they are taken as UTC.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import NamedTuple

Numbers = tuple[str, str, str]  # the three numbers of a date, as written

_TIME = re.compile(
    r"(\d{1,4}) ?[./\-年년] ?(\d{1,4}) ?[./\-月월] ?(\d{1,4})[.日일]?(?=[\s,.،])(\D{1,24}?)"
    r"(\d{1,2})(?:[:.時时시]| ?h ?)(\d{2})(?:[:.](\d{2}))?[분分]?(\D{0,16})"
)
_AMERICAN = re.compile(r"[AP]M")
_ORDERS = ("dmy", "mdy", "ymd")
_MARKS = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))
_AM = """am a.m. vorm. vm fm de. dop. d.o. öö sa pg πμ ص صباحا ق.ظ 上午 午前 凌晨 早上 清晨 오전 ก่อนเที่ยง पूर्वाह्न
    পূর্বাহ্ণ முற்பகல் ಪೂರ್ವಾಹ್ನ לפנה״צ לפנה"צ paradite pd ap. r.n. prijepodne дп пр.об. ጥዋት"""
_PM = """pm p.m. nachm. nm em du. odp. pop. ös ch ptg μμ م مساء ب.ظ 下午 午後 晚上 傍晚 오후 หลังเที่ยง अपराह्न
    অপরাহ্ণ பிற்பகல் ಅಪರಾಹ್ನ אחה״צ אחה"צ pasdite md ip. i.n. poslijepodne пп сл.об. ከሰዓት 中午"""


def _plain(half: str) -> str:
    return "".join(char for char in half.casefold() if char.isalnum() or unicodedata.category(char)[0] == "M")


_HALVES = {_plain(word): "am" for word in _AM.split()} | {_plain(word): "pm" for word in _PM.split()}


def unmarked(text: str) -> str:
    """Return `text` without direction marks, with plain blanks and ASCII digits."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char, char)) if not char.isspace() else " " for char in text.translate(_MARKS)
    )


def half_of_day(*words: str) -> str:
    """Return am or pm if one of `words` says so, else an empty string."""
    return next((_HALVES[plain] for plain in map(_plain, filter(None, words)) if plain in _HALVES), "")


def time_of_day(hour: str, minute: str, second: str | None, half: str) -> time | None:
    """Return the time of day; None if there is no such time."""
    hours = int(hour)
    if half == "am" and hours == 12:
        hours = 0
    elif half == "pm" and hours < 12:
        hours += 12
    try:
        return time(hours, int(minute), int(second or 0))
    except ValueError:
        return None


class WrittenTime(NamedTuple):
    """A date and a time whose order of day and month is not known yet.

    american: slashes, no leading zero, and AM or PM in capitals.
    """

    numbers: Numbers
    clock: time
    american: bool = False


@lru_cache(maxsize=1024)  # many messages bear one minute
def written_time(text: str) -> WrittenTime | None:
    """Parse `text` as a date and a time in any language; None if it is not one."""
    match = _TIME.fullmatch(unmarked(text).strip())
    if not match:
        return None
    first, second, third, before, hour, minute, seconds, after = match.groups()
    words = before.strip(" ,.،")
    clock = time_of_day(hour, minute, seconds, half_of_day(after, words, *words.split()))
    american = "/" in text and first[0] != "0" and bool(_AMERICAN.search(after))
    return WrittenTime((first, second, third), clock, american) if clock else None


class DateOrder:
    """Order of day, month and year, decided by all dates of a file.

    Call see() with each date first, then timestamp().
    An order that makes impossible dates loses; then one that makes time run backwards; then the less usual one, which
    is month first unless the file is written the American way (`3/14/21 … PM`).
    """

    def __init__(self) -> None:
        self._faults = dict.fromkeys(_ORDERS, 0)
        self._jumps = dict.fromkeys(_ORDERS, 0)
        self._before: dict[str, date] = {}
        self._seen: Numbers | None = None
        self._american = False

    def see(self, written: WrittenTime) -> None:
        """Take a date into account."""
        self._american |= written.american
        if written.numbers == self._seen:
            return
        self._seen = written.numbers
        for order in _ORDERS:
            if (day := _date(written.numbers, order)) is None:
                self._faults[order] += 1
                continue
            self._jumps[order] += day < self._before.get(order, day)
            self._before[order] = day

    def timestamp(self, written: WrittenTime) -> float | None:
        """Return UTC seconds; None if no order makes a date of the numbers."""
        day = next((day for order in self._ranked() if (day := _date(written.numbers, order))), None)
        return datetime.combine(day, written.clock, UTC).timestamp() if day else None

    def _ranked(self) -> Sequence[str]:
        usual = ("mdy", "dmy", "ymd") if self._american else _ORDERS
        return sorted(usual, key=lambda order: (self._faults[order], self._jumps[order]))


def _date(numbers: Numbers, order: str) -> date | None:
    """Return the date of `numbers` in this order; None if it is impossible.

    A number of four digits is the year wherever it stands.
    """
    first, second, third = numbers
    if len(first) > 2:
        year, month, day = first, second, third
    elif len(second) > 2:
        year, (day, month) = second, (first, third) if order != "mdy" else (third, first)
    elif order == "ymd" and len(third) <= 2:
        year, month, day = numbers
    elif order == "ymd":
        return None
    else:
        year, (day, month) = third, (first, second) if order == "dmy" else (second, first)
    try:
        return date(_full_year(int(year)), int(month), int(day))
    except ValueError:
        return None


def _full_year(year: int) -> int:
    if year < 100:
        return 2000 + year
    return year - 543 if year > 2400 else year  # the Thai calendar counts from 543 BC
