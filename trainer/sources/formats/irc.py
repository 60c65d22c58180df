"""IRC logs of irssi, WeeChat, HexChat and XChat, ZNC, mIRC, eggdrop, The Lounge, and others that write like them.

Learned from mgedmin/irclog2html and its logs, and those clients' defaults. A line begins with its time (`10:05`,
`[10:05:06]`, `Mar 04 10:05:06`, `[04 Mar 10:05]`, `04-Mar-2021 10:05`, `2021-03-04 10:05:06`, ISO 8601, Unix seconds),
then `<nick> text`, `* nick does`, WeeChat's `nick<tab>text`, or what the server says. The day is in the line, in lines
such as `--- Day changed Fri Mar 05 2021`, or in the file's name; where none of them tells it goes on at midnight. Times
without a zone are taken as UTC. Bytes that are no UTF-8 are read as Windows-1252. There are no ids; a channel is known
by its name, which is that of the file or its folder, or told at the beginning.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from trainer.sources.files.tree import Tree, head
from trainer.sources.message import ConversationType, Message, MessageKind, Reject
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import head_lines, text_lines
from trainer.sources.parsing.participants import conversation_type
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_FULL = re.compile(r"\[?(\d{4}-\d\d-\d\d[T ,]+\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z| ?[+-]\d\d:?\d\d)?)\]?[ \t]+(.*)")
_NAMED = re.compile(r"\[?(\d{1,2})[- ]([A-Z][a-z]{2})[- ](\d{4}) (\d\d:\d\d(?::\d\d)?)\]?[ \t]+(.*)")
_UNIX = re.compile(r"(\d{9,10})[ \t]+(.*)")
_SHORT = re.compile(
    r"[\[(]?(?:([A-Z][a-z]{2}) +(\d{1,2}) |(\d{1,2}) ([A-Z][a-z]{2}) )?[\[(]?(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AP]M))?[\])]?"
    r"[ \t]+(.*)"
)
_MARK = re.compile(
    r"(?:[\[(]?\d\d:\d\d(?::\d\d)?[\])]? )?(?:---|\*{3,4}|Session) ?(.*?)"
    r"(?:[A-Z][a-z]{2,8},? )?([A-Z][a-z]{2})[a-z]* +(\d{1,2})(?: (\d\d:\d\d(?::\d\d)?))?,? (\d{4}).*"
)
MAX_MARK_CHARS = 300  # characters
MAX_LINES_BEFORE_CHANGE = 2000  # of a log that begins without a date
_OTHER_MARK = re.compile(r"(?:---|\*{4}|===|Session )[^<>]*|\s*")
_DAY_CHANGED = re.compile(r"--- Day changed")
_YEAR = re.compile(r"(?<!\d)(?:19[89]|20[0-4])\d(?!\d)")
_SAID = re.compile(r"<[ @+%&~!]?([^\s<>!]{1,64})(![^\s<>]{1,200})?>(?:[ \t](.*))?")
_DID = re.compile(r"\s?\*[ \t]{1,2}(?![*\t ])[@+%&~!]?([^\s]{1,64}) (.*)")
_TABBED = re.compile(r"[ @+%&~!]?([^\s\t<>*=-][^\s\t]{0,63})\t(.*)")
_SERVER = re.compile(r"(?:-!-|-->|<--|--|=!=|===|\*{3}|-[^\s-]\S*-|\*\t|\* )")
_EVENT = re.compile(
    r"(?:Now talking|Topic |Disconnected|Looking up|Connect|Users on|Channel |You |Attempting|Retrieving)"
    r"|\S+(?: [(\[]\S+[)\]])? (?:(?:has|was) (?:joined|left|quit|kicked|changed|set|been)|is now known as|sets? mode|gives"
    r"|removes|(?:joined|left|quit|parted)(?: [#(].*)?$)"
)
_TOLD = re.compile(rb"(?:Session Ident: |Now talking (?:on|in) |has joined )([#&][^\s,\x07]{1,64})")
_FORMATTING = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]")
_DATED = re.compile(r"(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)")
_CHANNEL = re.compile(r"[#&][^/\s]*?(?=[._-]\d{4}|\.(?:log|txt|weechatlog)\b|/|$)")


class _Line(NamedTuple):
    """A line of a log. at: UTC seconds. kind: None for a line that only tells the day."""

    at: float | None
    kind: MessageKind | None
    nick: str
    text: str


class _Log:
    """Where the reading of a log stands in time."""

    def __init__(self, day: date | None, year: int | None = None) -> None:
        self._day = day
        self._year = year
        self._clock: time | None = None

    def line(self, text: str) -> _Line | None:
        """Return what a line says; None if it is no line of a log."""
        at, rest = _dated(text)
        if at is not None:
            return _spoken(at, rest)
        if len(text) < MAX_MARK_CHARS and (match := _MARK.fullmatch(text)):
            self._turn(match)
            return _Line(None, None, "", "")
        if match := _SHORT.fullmatch(text):
            return self._timed(match)
        return _Line(None, None, "", "") if _OTHER_MARK.fullmatch(text) else None

    def _turn(self, mark: "re.Match[str]") -> None:
        month, day, year = mark[2].lower(), int(mark[3]), int(mark[5])
        if month in _MONTHS and (match := _day(year, _MONTHS.index(month) + 1, day)):
            self._day, self._clock = match, None

    def _timed(self, match: "re.Match[str]") -> _Line | None:
        month, day, other_day, other_month, hour, minute, second, half, rest = match.groups()
        month, day = month or other_month, day or other_day
        hours = int(hour) % 12 + (12 if half == "PM" else 0) if half else int(hour)
        if hours > 24 or int(minute) > 59 or int(second or 0) > 60:
            return None
        clock = time(hours % 24, int(minute), min(int(second or 0), 59))
        if month and month.lower() in _MONTHS:
            self._to(_MONTHS.index(month.lower()) + 1, int(day))
            if self._day and hours == 24:  # 24:53 is 0:53 of the next day
                self._day += timedelta(days=1)
        elif self._day and self._clock and self._clock.hour - clock.hour > 6:  # midnight, and no line told
            self._day += timedelta(days=1)
        self._clock = clock
        at = datetime.combine(self._day, clock, UTC).timestamp() if self._day else None
        return _spoken(at, rest)

    def _to(self, month: int, day: int) -> None:
        """Go on to a day without a year; December comes before January."""
        if not self._day and self._year:
            self._day = _day(self._year, month, day)
        elif self._day:
            year = self._day.year + (month == 1 and self._day.month == 12)
            self._day = _day(year, month, day) or self._day


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _dated(line: str) -> tuple[float | None, str]:
    """Return the time of a line that has its own date, and the rest of it; None if it has none."""
    if match := _FULL.fullmatch(line):
        return _instant(match[1]), match[2]
    if (match := _NAMED.fullmatch(line)) and match[2].lower() in _MONTHS:
        month = _MONTHS.index(match[2].lower()) + 1
        return _instant(f"{match[3]}-{month:02}-{int(match[1]):02}T{match[4]}"), match[5]
    if match := _UNIX.fullmatch(line):
        return float(match[1]), match[2]
    return None, ""


def _instant(text: str) -> float | None:
    return iso_timestamp(re.sub(r"[T ,]+", "T", text, count=1).replace(" ", ""))


def _spoken(at: float | None, rest: str) -> _Line:
    """Return what stands after the time."""
    rest = _FORMATTING.sub("", rest)
    if match := _SAID.fullmatch(rest):
        text = match[3] or ""
        if match[2] and text[:1] in ("+", "-"):  # dircproxy puts a sign before what a person with an address says
            text = text[1:]
        return _Line(at, "message", match[1], text)
    if (match := _DID.fullmatch(rest)) and not _EVENT.match(rest.lstrip("* \t")):
        return _Line(at, "message", match[1], f"*{match[2]}*")
    if not _SERVER.match(rest.lstrip()) and (match := _TABBED.fullmatch(rest)):
        return _Line(at, "message", match[1], match[2])
    return _Line(at, "service", "", rest)


def _recognises(start: bytes) -> bool:
    lines = [line.lstrip("\ufeff") for line in head_lines(start) if line.strip()][:200]
    log = _Log(None)
    known = sum(log.line(line) is not None for line in lines)
    said = sum(_has_nick(line) for line in lines)
    return said > 0 and known >= 0.6 * len(lines) and (said >= 0.2 * len(lines) or bool(_MARK.fullmatch(lines[0])))


def _has_nick(line: str) -> bool:
    at, rest = _dated(line)
    if at is None and (short := _SHORT.fullmatch(line)):
        rest = short[9]
    if _SAID.fullmatch(_FORMATTING.sub("", rest)):
        return True
    return at is not None and not _SERVER.match(rest) and "\t" in line and bool(_TABBED.fullmatch(rest))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        channel = _channel(name, head(tree, name))
        chat_type = "group" if channel.startswith(("#", "&")) else conversation_type("", _people(tree, name))
        ids = DerivedIds(channel)
        for item in _lines(tree, name):
            if isinstance(item, Reject):
                yield item
            elif item.kind:
                yield _message(item, item.kind, channel, chat_type, ids)


def _lines(tree: Tree, name: str) -> Iterator[_Line | Reject]:
    log = _Log(_first_day(name, head(tree, name)), _year(name))
    with tree.open(name) as stream:
        for offset, text in text_lines(stream):
            line = log.line(text.lstrip("\ufeff"))
            if line is None:
                yield Reject(file=name, offset=offset, reason="no line of an IRC log", raw=text)
            else:
                yield line


def _first_day(name: str, start: bytes) -> date | None:
    """Return the day a log begins on.

    It stands in its name or folder, or is the day before the first change of day.
    """
    match = _DATED.search(name.rpartition("/")[2]) or _DATED.search(name)
    if match:
        return _day(*map(int, match.groups()))
    for line in head_lines(start)[:MAX_LINES_BEFORE_CHANGE]:
        mark = _MARK.fullmatch(line) if _DAY_CHANGED.match(line) else None
        if mark and mark[2].lower() in _MONTHS:
            changed = _day(int(mark[5]), _MONTHS.index(mark[2].lower()) + 1, int(mark[3]))
            return changed - timedelta(days=1) if changed else None
        if line.startswith(("---", "****", "Session")):
            return None  # a mark that tells when the log begins
    return None


def _year(name: str) -> int | None:
    """Return the year in a log's name or folder, for lines that tell month and day alone."""
    years = _YEAR.findall(name)
    return int(years[-1]) if years else None


def _channel(name: str, start: bytes) -> str:
    """Return the channel or person of a log, by file name, folder name or its first lines."""
    for part in reversed(name.split("/")):
        if match := _CHANNEL.search(part):
            return match[0].casefold()
    if said := _TOLD.search(start):
        return said[1].decode("utf-8", "replace").casefold()
    folder, _, file = name.rpartition("/")
    stem = _DATED.sub("", re.sub(r"\.(?:log|txt|weechatlog)$", "", file)).strip("._- ")
    return (stem or folder.rpartition("/")[2] or file).casefold()


def _people(tree: Tree, name: str) -> set[str]:
    """Return who speaks, as far as three."""
    people: set[str] = set()
    for line in _lines(tree, name):
        if isinstance(line, _Line) and line.nick:
            people.add(line.nick)
        if len(people) > 2:
            break
    return people


def _message(line: _Line, kind: MessageKind, channel: str, chat_type: ConversationType, ids: DerivedIds) -> Message:
    return Message(
        platform="irc",
        conversation_id=channel,
        conversation_type=chat_type,
        conversation_name=channel,
        message_id=ids.next(line.at, line.nick, line.text),
        sender_id="",
        sender_name=line.nick,
        timestamp=line.at,
        kind=kind,
        text=line.text,
    )


SOURCE = Source("IRC log", claim_each(_recognises), _read)
