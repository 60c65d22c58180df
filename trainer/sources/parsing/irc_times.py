"""Times in front of the lines of IRC logs, and the lines that tell a day."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from trainer.sources.parsing.local_dates import DateOrder, WrittenTime, weekday
from trainer.sources.parsing.months import month_of
from trainer.sources.parsing.timestamps import iso_timestamp

_WORD = r"[^\W\d_]{2,12}"
_WEEKDAY = rf"(?:(?P<weekday>{_WORD})\.?,? +)?"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?: ?(?P<half>[AP])M)?"
_TO_TEXT = r"(?:[ \t]+|(?=<))(?P<text>.*)"
_ISO = re.compile(
    rf"\[?(\d{{4}}-\d\d-\d\d[T ,]+\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?(?:Z| ?[+-]\d\d:?\d\d)?)\]?{_TO_TEXT}"
)
_UNIX = re.compile(r"(\d{9,10})[ \t]+(.*)")
_ZONE = r"(?:(?: [A-Z]{2,5}| ?[+-]\d{4})?[\])])?"  # only in brackets, and not looked at
_DATED = (  # with a year
    re.compile(
        rf"[\[(]?{_WEEKDAY}(?:(?P<day>\d{{1,2}})[. -]+(?P<month>{_WORD})|(?P<month2>{_WORD})[. ]+(?P<day2>\d{{1,2}}))[,. -]+"
        rf"(?P<year>\d{{4}})[\])]?,? ?[\[(]?{_TIME}{_ZONE}{_TO_TEXT}"
    ),
    re.compile(rf"[\[(]?{_WEEKDAY}(?P<month>{_WORD}) +(?P<day>\d{{1,2}}) {_TIME} (?P<year>\d{{4}}){_ZONE}{_TO_TEXT}"),
)
_NUMBERED = re.compile(
    rf"[\[(]?{_WEEKDAY}(?P<a>\d{{1,4}})(?P<separator>[./-])(?P<b>\d{{1,2}})(?P=separator)(?P<c>\d{{1,4}}),?[ T]+{_TIME}"
    rf"{_ZONE}{_TO_TEXT}"
)
_SHORT = re.compile(
    rf"[\[(]?(?:{_WEEKDAY}(?:(?P<month>{_WORD})\.? +(?P<day>\d{{1,2}})|(?P<day2>\d{{1,2}})\.? (?P<month2>{_WORD})\.?)\.? )?"
    rf"[\[(]?{_TIME}[\])]?{_TO_TEXT}"
)
_MARK = re.compile(
    rf"(?:[\[(]?\d\d:\d\d(?::\d\d)?[\])]? )?(?:(?:---|\*{{4}}|Session|IRC log) ?.*?|\*{{3}} on )"
    rf"(?:{_WORD},? )?(?P<month>{_WORD})\.? +(?P<day>\d{{1,2}})(?: \d\d:\d\d(?::\d\d)?)?,? (?P<year>\d{{4}}).*"
)
_MAX_MARK_CHARS = 300
_BACK = timedelta(days=7)  # a log that goes back further has gone on to the next year


class DayMark(NamedTuple):
    """A line that tells the day. is_change: the day begins with it."""

    day: date
    is_change: bool


class LineTime(NamedTuple):
    """What stands before the text of a line: an instant, a date of numbers, or a clock with or without month and day.

    is_whole: the line tells its day; without an instant there is no such day.
    """

    text: str
    instant: float | None = None
    is_whole: bool = False
    written: WrittenTime | None = None
    clock: time = time()
    hour: int = 0
    month: int = 0
    day: int = 0
    weekday: int | None = None


def day_mark(line: str) -> DayMark | None:
    """Parse a line such as `--- Day changed Fri Mar 05 2021`; None for any other."""
    match = _MARK.fullmatch(line) if len(line) < _MAX_MARK_CHARS else None
    day = match and day_of(int(match["year"]), month_of(match["month"]), int(match["day"]))
    return DayMark(day, line.startswith("--- Day changed")) if day else None


def line_time(line: str) -> LineTime | None:
    """Parse what a line begins with; None if it is no time of a log."""
    if match := _ISO.fullmatch(line):
        return LineTime(match["text"], _instant(match[1]), is_whole=True)
    if match := _UNIX.fullmatch(line):
        return LineTime(match[2], float(match[1]), is_whole=True)
    for pattern in _DATED:
        if (match := pattern.fullmatch(line)) and (stamp := _clocked(match)) and stamp.month:
            day = day_of(int(match["year"]), stamp.month, stamp.day)
            day = day and day + timedelta(days=stamp.hour == 24)
            at = datetime.combine(day, stamp.clock, UTC).timestamp() if day else None
            return stamp._replace(instant=at, is_whole=True)
    if (match := _NUMBERED.fullmatch(line)) and (stamp := _clocked(match)):
        numbers = (match["a"], match["b"], match["c"])
        return stamp._replace(written=WrittenTime(numbers, stamp.clock, late=stamp.hour == 24, weekday=stamp.weekday))
    match = _SHORT.fullmatch(line)
    return _clocked(match) if match else None


def _clocked(match: "re.Match[str]") -> LineTime | None:
    """Return the parts of a time, without the year; None if there is no such time of day."""
    parts = match.groupdict()
    hour, minute, second = int(parts["hour"]), int(parts["minute"]), int(parts["second"] or 0)
    if parts["half"]:
        hour = hour % 12 + 12 * (parts["half"] == "P")
    if hour > 24 or minute > 59 or second > 60:
        return None
    month = month_of(parts.get("month") or parts.get("month2") or "")
    day = int(parts.get("day") or parts.get("day2") or 0)
    if day and not month:
        return None
    name = weekday(parts.get("weekday") or "") if parts.get("weekday") else None
    clock = time(hour % 24, minute, min(second, 59))
    return LineTime(parts["text"], clock=clock, hour=hour, month=month, day=day, weekday=name)


def _instant(text: str) -> float | None:
    return iso_timestamp(re.sub(r"[T ,]+", "T", text, count=1).replace(" ", ""))


def day_of(year: int, month: int, day: int) -> date | None:
    """Return the day; None if there is no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


class LogClock:
    """Where the reading of a log stands in time.

    day: of its first line, as far as known. year: where no line tells it. order: of the numbers of its dates.
    """

    def __init__(self, day: date | None = None, year: int | None = None, order: DateOrder | None = None) -> None:
        self._day = day
        self._year = year
        self._order = order or DateOrder()
        self._clock: time | None = None

    def turn(self, mark: DayMark) -> None:
        """Go on to a day that a line tells."""
        self._day, self._clock = mark.day, None

    def timestamp(self, stamp: LineTime) -> float | None:
        """Return UTC seconds; None if nothing tells the day, or there is no such day."""
        if stamp.is_whole:
            return stamp.instant
        if stamp.written:
            return self._order.timestamp(stamp.written)
        day = self._dated(stamp) if stamp.month else self._next(stamp.clock)
        self._clock = stamp.clock
        return datetime.combine(day, stamp.clock, UTC).timestamp() if day else None

    def _next(self, clock: time) -> date | None:
        """Return the day of a line without one: the next after midnight, which no line told."""
        if self._day and self._clock and self._clock.hour - clock.hour > 6:
            self._day += timedelta(days=1)
        return self._day

    def _dated(self, stamp: LineTime) -> date | None:
        """Return the day of a line without a year; a log goes on, so after December comes the next year's January."""
        year = self._day.year if self._day else self._year
        day = day_of(year, stamp.month, stamp.day) if year else None
        if day and self._day and self._day - day > _BACK:
            day = day_of(day.year + 1, stamp.month, stamp.day)
        if day is None:
            return None
        self._day = day + timedelta(days=stamp.hour == 24)  # 24:53 is 0:53 of the next day
        return self._day
