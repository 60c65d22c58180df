"""IRC logs of irssi, WeeChat, HexChat and XChat, ZNC, mIRC, eggdrop, The Lounge, and others that write like them.

Learned from mgedmin/irclog2html and its logs, Konversation's source, and those clients' defaults. A line begins with its
time (`10:05`, `[10:05:06]`, `Mar 04 10:05:06`, `[Thursday 04 March 2021] [10:05:06]`, `04.03.2021 10:05`, ISO 8601, Unix
seconds, …), then `<nick> text`, `* nick does`, WeeChat's `nick<tab>text`, or what the server says. The day is in the line,
in lines such as `--- Day changed Fri Mar 05 2021`, or in the file's name; where none of them tells it goes on at midnight.
A year that is nowhere in the log is that of its neighbours, if they have one alone. Times without a zone are taken as UTC.
Bytes that are no UTF-8 are read as Windows-1252. There are no ids; a channel is known
by its name, which is that of the file or its folder, or told at the beginning.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from trainer.sources.files.tree import Tree, head
from trainer.sources.message import ConversationType, Message, MessageKind, Reject
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.irc_times import LineTime, LogClock, day_mark, day_of, line_time
from trainer.sources.parsing.lines import head_lines, text_lines
from trainer.sources.parsing.local_dates import DateOrder
from trainer.sources.parsing.participants import conversation_type
from trainer.sources.source import Reading, Source, claim_each

MAX_LINES_BEFORE_CHANGE = 2000  # of a log that begins without a date
MAX_NEIGHBOURS = 64  # logs of a folder that are looked at for a year
_OTHER_MARK = re.compile(r"(?:---|\*{4}|===|Session |\*{3} Logfile started|IRC log )[^<>]*|\s*")
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
    """What the lines of a log say, one after the other."""

    def __init__(self, clock: LogClock) -> None:
        self._clock = clock

    def line(self, text: str) -> _Line | None:
        """Return what a line says; None if it is no line of a log."""
        if mark := day_mark(text):
            self._clock.turn(mark)
            return _Line(None, None, "", "")
        if stamp := line_time(text):
            return _spoken(self._clock.timestamp(stamp), stamp.text)
        return _Line(None, None, "", "") if _OTHER_MARK.fullmatch(text) else None


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
    log = _Log(LogClock())
    known = sum(log.line(line) is not None for line in lines)
    said = sum(_has_nick(line) for line in lines)
    return said > 0 and known >= 0.6 * len(lines) and (said >= 0.2 * len(lines) or bool(day_mark(lines[0])))


def _has_nick(line: str) -> bool:
    stamp = line_time(line)
    rest = stamp.text if stamp else line
    if _SAID.fullmatch(_FORMATTING.sub("", rest)):
        return True
    is_dated = stamp is not None and (stamp.instant is not None or stamp.written is not None)
    return is_dated and not _SERVER.match(rest) and "\t" in line and bool(_TABBED.fullmatch(rest))


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
    log = _Log(_clock(tree, name))
    with tree.open(name) as stream:
        for offset, text in text_lines(stream):
            line = log.line(text.lstrip("\ufeff"))
            if line is None:
                yield Reject(file=name, offset=offset, reason="no line of an IRC log", raw=text)
            else:
                yield line


def _clock(tree: Tree, name: str) -> LogClock:
    """Return a clock that knows what the whole log, its name and its neighbours tell of the day."""
    start = head(tree, name)
    stamps = list(filter(None, map(line_time, head_lines(start))))
    order = DateOrder()
    if any(stamp.written for stamp in stamps):
        with tree.open(name) as stream:
            for _, text in text_lines(stream):
                if (stamp := line_time(text)) and stamp.written:
                    order.see(stamp.written)
    year = _year(name)
    if year is None and any(stamp.month and not stamp.is_whole for stamp in stamps):
        year = _neighbours_year(tree, name, stamps)
    return LogClock(_first_day(name, start), year, order)


def _first_day(name: str, start: bytes) -> date | None:
    """Return the day a log begins on.

    It stands in its name or folder, or is the day before the first change of day.
    """
    match = _DATED.search(name.rpartition("/")[2]) or _DATED.search(name)
    if match:
        return day_of(*map(int, match.groups()))
    for line in head_lines(start)[:MAX_LINES_BEFORE_CHANGE]:
        if (mark := day_mark(line)) and mark.is_change:
            return mark.day - timedelta(days=1)
        if line.startswith(("---", "****", "Session")):
            return None  # a mark that tells when the log begins
    return None


def _year(name: str) -> int | None:
    """Return the year in a log's name or folder, for lines that tell month and day alone."""
    years = _YEAR.findall(name)
    return int(years[-1]) if years else None


def _neighbours_year(tree: Tree, name: str, stamps: Sequence[LineTime]) -> int | None:
    """Return the one year that the other logs of the folder have; of several, the one whose weekdays are right."""
    folder = name.rpartition("/")[0]
    others = [other for other in tree.names() if other != name and other.rpartition("/")[0] == folder]
    heads = {other: tree.head(other) for other in others[:MAX_NEIGHBOURS]}
    years = {year for other, start in heads.items() if _recognises(start) and (year := _told_year(other, start))}
    days = [stamp for stamp in stamps if stamp.month and stamp.weekday is not None][:1]
    fitting = [
        year
        for year in sorted(years)
        if all((day := day_of(year, stamp.month, stamp.day)) and day.weekday() == stamp.weekday for stamp in days)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _told_year(name: str, start: bytes) -> int | None:
    """Return the year that a log's name or its first mark tells."""
    marks = filter(None, map(day_mark, head_lines(start)))
    return _year(name) or next((mark.day.year for mark in marks), None)


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
