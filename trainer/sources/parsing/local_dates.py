"""Dates and times as devices write them in their users' languages.

No zone is written, so they are taken as UTC.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from trainer.sources.parsing.calendars import gregorian

Numbers = tuple[str, str, str]  # the three numbers of a date, as written

JAPANESE_ERA = r"令和|平成|㋿|㍻|[RH](?=\d)"
_ERA = rf"(?:({JAPANESE_ERA}|民[國国]|พ\.ศ\.) ?)?"
_DATE = rf"{_ERA}(\d{{1,4}}|元) ?([./\-年년] ?)(\d{{1,4}}) ?[./\-月월] ?(?:พ\.ศ\. ?)?(\d{{1,4}})[.日일]?"
_CLOCK = r"(\d{1,2})(?:[:.時时시]| ?h ?)(\d{2})(?:[:.](\d{2}))?[분分]?"
_DATE_FIRST = re.compile(rf"{_DATE}(?=[\s,.،])(\D{{1,24}}?){_CLOCK}(\D{{0,16}})")
_CLOCK_FIRST = re.compile(rf"{_CLOCK}(\D{{0,16}}?[\s,،]\D{{0,8}}?){_DATE}")
_AMERICAN = re.compile(r"[AP]M")
_FOREIGN = re.compile(r"(?![0-9])\d|[،၊]")  # digits and commas of other scripts
_WORD = re.compile(r"[^\W\d](?:[^\s,،]*[^\s,،])?")
_ORDERS = ("dmy", "mdy", "ymd")
_NAMELESS_ERAS = ("令和", "平成")  # whose years a Japanese calendar pads with noughts where it writes no era
_MARKS = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))
_AM = """am a.m. vorm. vm fm de. dop. d.o. öö sa pg πμ ص صباحا ق.ظ 上午 午前 凌晨 早上 清晨 오전 ก่อนเที่ยง पूर्वाह्न
    পূর্বাহ্ণ முற்பகல் ಪೂರ್ವಾಹ್ನ לפנה״צ לפנה"צ paradite pd ap. r.n. prijepodne дп пр.об. ጥዋት म.पू. de. paradites
    ព្រឹក ਪੂ.ਦੁ. පෙ.ව. ກ່ອນທ່ຽງ နံနက် f.h. ү.ө. priekšpusdienā priešpiet صبح"""
_PM = """pm p.m. nachm. nm em du. odp. pop. ös ch ptg μμ م مساء ب.ظ 下午 午後 晚上 傍晚 오후 หลังเที่ยง अपराह्न
    অপরাহ্ণ பிற்பகல் ಅಪರಾಹ್ನ אחה״צ אחה"צ pasdite md ip. i.n. poslijepodne пп сл.об. ከሰዓት 中午 म.उ. pasdites
    ល្ងាច ਬਾ.ਦੁ. ප.ව. ຫຼັງທ່ຽງ ညနေ e.h. ү.х. pēcpusdienā popiet شام"""
_WEEKDAYS = (  # from Monday on, as far as they begin words
    "mon lun seg mo lu th2 pzt 月 周一 星期一 週一 礼拜一 월 จันทร์ จ. sen isnin пн",
    "tue mar ter di tu th3 sal 火 周二 星期二 週二 화 อังคาร อ. sel вт",
    "wed mié mer qua mi we th4 çar 水 周三 星期三 週三 수 พุธ พ. rab ср",
    "thu jue jeu gio qui do th th5 per 木 周四 星期四 週四 목 พฤหัส พฤ. kam чт",
    "fri vie ven sex fr th6 cum 金 周五 星期五 週五 금 ศุกร์ ศ. jum пт",
    "sat sáb sam sab sa th7 cmt 土 周六 星期六 週六 토 เสาร์ ส. сб",
    "sun dom dim so su cn paz 日 周日 星期日 週日 周天 일 อาทิตย์ อา. min вс",
)
_NUMBERED = re.compile(r"\A(?:thứ|th) ?(?=\d)")  # Vietnam's days but Sunday
_MAX_BACKWARDS = 200  # lines that run back in time before they are taken for a new beginning


_DAYS_KEPT = 1024


def _plain(half: str) -> str:
    return "".join(char for char in half.casefold() if char.isalnum() or unicodedata.category(char)[0] == "M")


_HALVES = {_plain(word): "am" for word in _AM.split()} | {_plain(word): "pm" for word in _PM.split()}
_DAY_OF_WEEK = {name: day for day, names in enumerate(_WEEKDAYS) for name in names.split()}
_LONGEST_WEEKDAYS = sorted(_DAY_OF_WEEK, key=len, reverse=True)


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


def weekday(text: str) -> int | None:
    """Return the day of the week that `text` names, 0 for Monday; None if none."""
    bare = _NUMBERED.sub("th", text.strip("()（） ,.").casefold().removeprefix("วัน"))
    return next((_DAY_OF_WEEK[name] for name in _LONGEST_WEEKDAYS if bare.startswith(name)), None)


def time_of_day(hour: str, minute: str, second: str | None, half: str) -> time | None:
    """Return the time of day; None if there is no such time. 24:05 is 0:05."""
    hours = int(hour)
    if hours == 24 or (half == "am" and hours == 12):
        hours = 0
    elif half == "pm" and hours < 12:
        hours += 12
    try:
        return time(hours, int(minute), int(second or 0))
    except ValueError:
        return None


class WrittenTime(NamedTuple):
    """A date and a time whose order of day and month is not known yet.

    american: slashes, no leading zero, and AM or PM in capitals. shape: the
    notation, alike for all dates of a device. words: those in it that name no
    half of the day. late: written as 24:05. weekday: 0 for Monday.
    """

    numbers: Numbers
    clock: time
    american: bool = False
    shape: str = ""
    words: str = ""
    era: str = ""
    late: bool = False
    weekday: int | None = None


@lru_cache(maxsize=1024)  # many messages bear one minute
def written_time(text: str) -> WrittenTime | None:
    """Parse `text` as a date and a time in any language; None if it is not one."""
    bare = unmarked(text).strip()
    if match := _DATE_FIRST.fullmatch(bare):
        era, first, separator, second, third, before, hour, minute, seconds, after = match.groups()
    elif match := _CLOCK_FIRST.fullmatch(bare):
        hour, minute, seconds, after, era, first, separator, second, third = match.groups()
        before = ""
    else:
        return None
    parts = [part for part in (before, after) if len(part) > 2]
    words = [word for part in parts if not half_of_day(part) for word in _WORD.findall(part)]
    clock = time_of_day(hour, minute, seconds, half_of_day(after, before, *words))
    if clock is None:
        return None
    comma = "," if "," in before + after or "،" in before + after else " "
    shape = f"{separator.strip()}{comma}{'' if before else 't'}{'s' if seconds else ''}"
    return WrittenTime(
        ("1" if first == "元" else first, second, third),
        clock,
        "/" in text and first[0] != "0" and bool(_AMERICAN.search(after)) and not _FOREIGN.search(text),
        shape,
        " ".join(word for word in words if _plain(word) not in _HALVES),
        era or "",
        hour == "24",
    )


class LateHours:
    """Which day 24:05 is of: the next one after other hours of its date, the date's own if it is the first."""

    def __init__(self) -> None:
        self._numbers: Numbers | None = None
        self._begins = False

    def settled(self, written: WrittenTime) -> WrittenTime:
        """Return the time with `late` as its place in the file tells. Call it with every message in turn."""
        if written.numbers != self._numbers:
            self._numbers, self._begins = written.numbers, written.late
        elif not written.late:
            self._begins = False
        return written._replace(late=False) if self._begins else written


class DateOrder:
    """Order of day, month and year, decided by all dates of a file.

    Call see() with each date first, then timestamp(). An order that makes
    impossible dates, wrong weekdays or many years loses; then one that makes
    time run backwards; then the less usual one, which is month first unless the
    file is written the American way (`3/14/21 … PM`).
    """

    def __init__(self) -> None:
        self._faults = dict.fromkeys(_ORDERS, 0)
        self._years: dict[bool, set[str]] = {False: set(), True: set()}  # of two digits, as written last and first
        self._jumps = dict.fromkeys(_ORDERS, 0)
        self._before: dict[str, date] = {}
        self._seen: Numbers | None = None
        self._clock = time()
        self._backwards = 0
        self._american = False
        self._days: dict[tuple[Numbers, str, int | None], date | None] = {}

    def see(self, written: WrittenTime) -> bool:
        """Take a date into account; return whether time ran back, in any order."""
        self._american |= written.american
        days = None
        self._days.clear()
        if written.numbers == self._seen:
            back = written.clock < self._clock and not written.late
        else:
            days = {order: _date(written, order) for order in _ORDERS}
            valid = {order: day for order, day in days.items() if day}
            back = bool(valid) and all(day < self._before.get(order, day) for order, day in valid.items())
        self._backwards = self._backwards + 1 if back else 0
        if back and self._backwards <= _MAX_BACKWARDS:
            return True
        self._clock = written.clock
        if days is not None:
            self._seen = written.numbers
            self._count(days)
            if _is_short(written):
                self._years[False].add(written.numbers[2])
                self._years[True].add(written.numbers[0])
        return False

    def _count(self, days: "dict[str, date | None]") -> None:
        for order, day in days.items():
            if day is None:
                self._faults[order] += 1
                continue
            self._jumps[order] += day < self._before.get(order, day)
            self._before[order] = day

    def timestamp(self, written: WrittenTime) -> float | None:
        """Return UTC seconds; None if no order that has the file's year makes a date of the numbers."""
        key = (written.numbers, written.era, written.weekday)
        if key not in self._days:
            if len(self._days) > _DAYS_KEPT:
                self._days.clear()
            orders = self._orders(written)
            self._days[key] = next((day for order in orders if (day := _date(written, order))), None)
        day = self._days[key]
        if day is None:
            return None
        return datetime.combine(day + timedelta(written.late), written.clock, UTC).timestamp()

    def _orders(self, written: WrittenTime) -> Sequence[str]:
        """Return the orders to try, best first; a year of two digits stands where the file has it."""
        usual = ("mdy", "dmy", "ymd") if self._american else _ORDERS
        ranked = sorted(usual, key=self._cost)
        if not _is_short(written):
            return ranked
        return [order for order in ranked if (order == "ymd") == (ranked[0] == "ymd")]

    def _cost(self, order: str) -> tuple[int, int]:
        return self._faults[order] + len(self._years[order == "ymd"]), self._jumps[order]


def _is_short(written: WrittenTime) -> bool:
    """Return whether no number of a date must be its year."""
    return not written.era and all(len(number) <= 2 for number in written.numbers)


def _date(written: WrittenTime, order: str) -> date | None:
    """Return the date in this order; None if it is impossible or no such weekday.

    A number of three or four digits is the year wherever it stands.
    """
    first, second, third = written.numbers
    if len(first) > 2 or written.era:
        year, month, day = first, second, third
    elif len(second) > 2:
        year, (day, month) = second, (first, third) if order != "mdy" else (third, first)
    elif order == "ymd" and len(third) <= 2:
        year, month, day = first, second, third
    elif order == "ymd":
        return None
    else:
        year, (day, month) = third, (first, second) if order == "dmy" else (second, first)
    padded = len(year) == 4 and year[0] == "0"
    if padded and written.weekday is None:
        return None
    eras = _NAMELESS_ERAS if padded else (written.era,)
    moments = [moment for era in eras if (moment := _gregorian(int(year), int(month), int(day), era))]
    fitting = [moment for moment in moments if written.weekday in (None, moment.weekday())]
    return fitting[0] if len(fitting) == 1 else None


def _gregorian(year: int, month: int, day: int, era: str) -> date | None:
    try:
        return gregorian(year, month, day, era)
    except ValueError:
        return None
