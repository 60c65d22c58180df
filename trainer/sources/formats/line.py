"""LINE's chat history as text, of phones and of the desktop.

Learned from public parsers and their samples. `[LINE] Chat history with NAME` (in the app's language), `Saved on: …`,
then days and messages. Phones: `2021/03/04(Thu)` or `Thu, 3/4/2021` (which number is the day is decided by the whole
file), with Japan's calendar `令和3年3月4日(木)`, then `10:05<tab>name<tab>text`, in 12 hours `午後10:05`, `10:05PM`; many
lines stand in quotation marks; what the app says has no name or stands under one. Desktop: `2021.03.04 Thursday`, without a
first line in some versions, then `10:05 name text`, where names may hold blanks: a name is what stands in the first line,
else as long as everything that begins with it goes on alike. No zone (taken as UTC), no ids.
"""

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.line_notices import is_notice, medium
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.local_dates import JAPANESE_ERA, DateOrder, WrittenTime, unmarked, weekday, written_time
from trainer.sources.parsing.participants import SpeakerPrefixes, conversation_key, conversation_type
from trainer.sources.source import Reading, Source, claim_each

_TITLE = re.compile(r"\[LINE\] ?(.*)")
_TITLES: tuple[tuple[ConversationType | None, re.Pattern[str]], ...] = (
    ("dm", re.compile(r"Chat history with (.+)")),
    ("group", re.compile(r"Chat history in (.+)")),
    ("dm", re.compile(r"(.+?)とのトーク(?:履歴)?")),
    ("group", re.compile(r"(.+?)のトーク(?:履歴)?")),
    ("dm", re.compile(r"[與与和](.+?)的聊天(?:記錄|记录|紀錄)")),
    ("group", re.compile(r"(.+?)的聊天(?:記錄|记录|紀錄)")),
    (None, re.compile(r"(.+?)(?:님과의?|와의|과의) ?(?:대화|채팅).*")),
    (None, re.compile(r"ประวัติการ(?:สนทนา|แชท|แชต)กับ ?(.+)")),
    (None, re.compile(r"Riwayat obrolan (?:dengan|di) (.+)")),
)
_SAVED = re.compile(r"[^\d\n]{0,40}[:：]? ?[^\d\n]{0,12}\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \D{0,8}\d{1,2}:\d{2}.{0,12}")
_DAY = re.compile(
    rf"(?:(?P<a>(?:{JAPANESE_ERA}) ?(?:\d{{1,2}}|元)|\d{{4}})[./年](?P<b>\d{{1,2}})[./月](?P<c>\d{{1,2}})[.日]? ?"
    r"(?P<after>[(（][^()（）\n]{1,12}[)）]|[^\s\d:]{1,14})?"
    r"|(?P<before>[^\W\d]{2,12})\.?, ?(?P<d>\d{1,2})[/.](?P<e>\d{1,2})[/.](?P<f>\d{4}))"
)
_CLOCK = r"(?:[^\W\d]{1,3}\.?[^\W\d]?\.? ?)?\d{1,2}:\d{2}(?: ?[AaPp]\.?[Mm]\.?)?"
_TABBED = re.compile(rf"({_CLOCK})\t(.*)", re.DOTALL)
_SPACED = re.compile(rf"({_CLOCK}) (\S.*)")
_CALL = "☎"
LONGEST_QUOTATION = 200  # lines of a message in quotation marks


class _Day(NamedTuple):
    """A line that names a day."""

    numbers: tuple[str, str, str]
    weekday: int | None

    @property
    def is_certain(self) -> bool:
        """Whether the day is of the week that it says."""
        written = written_time(f"{'/'.join(self.numbers)} 0:00")
        if written is None or self.weekday is None:
            return False
        return DateOrder().timestamp(written._replace(weekday=self.weekday)) is not None


class _Line(NamedTuple):
    """A line that begins a message.

    said: name and text. spaced: they are parted by a blank. first: of its day, or after none but others at 24:05.
    """

    day: "_Day"
    clock: str
    said: str
    spaced: bool
    first: bool

    @property
    def written(self) -> WrittenTime | None:
        """Its date and time, in the notation of its day line.

        24:05 may stand at either end of a day.
        """
        written = written_time(f"{'/'.join(self.day.numbers)} {self.clock}")
        return written and written._replace(weekday=self.day.weekday, late=written.late and not self.first)


class _Days:
    """The days of a file: takes their lines out, and says what opens a message. speakers: who speaks there, as far as known."""

    def __init__(self, speakers: Collection[str] = ()) -> None:
        self._day: _Day | None = None
        self._first = True
        self._speakers = speakers
        self._is_quoted = False  # the line that was yielded last goes on with a message in quotation marks

    def messages(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """Yield the lines without those that name the chat or a day."""
        blank = True
        for number, (offset, line, is_quoted) in enumerate(_with_quotations(lines, self._speakers)):
            line = line.lstrip("\ufeff")
            self._is_quoted = is_quoted
            if is_quoted:
                yield offset, line
            elif (day := _parse_day(line.strip())) and (blank or day.is_certain or not line.strip()[-1].isdecimal()):
                self._day, self._first = day, True
            elif number > 2 or not (_TITLE.match(line) or _SAVED.fullmatch(line)):
                yield offset, line
            blank = not line.strip() or number < 3

    def opens(self, line: str) -> _Line | None:
        """Parse a message's first line; None for any other."""
        if self._day is None or self._is_quoted:
            return None
        spaced = not (match := _TABBED.match(line))
        if not (match := match or _SPACED.match(line)):
            return None
        first, self._first = self._first, self._first and match[1].startswith("24:")
        return _Line(self._day, match[1], match[2], spaced, first)


def _with_quotations(lines: Iterable[tuple[int, str]], speakers: Collection[str]) -> Iterator[tuple[int, str, bool]]:
    """Yield each line with whether it goes on with a message in quotation marks, whatever stands in it."""
    rest, ahead = iter(lines), deque[tuple[int, str]]()  # ahead: read to look for the end of a quotation
    while (line := ahead.popleft() if ahead else next(rest, None)) is not None:
        yield *line, False
        if _opens_quotation(line[1]):
            ahead.extend(islice(rest, LONGEST_QUOTATION - len(ahead)))
            for _ in range(_quoted_lines([text for _, text in ahead], speakers)):
                yield *ahead.popleft(), True


def _opens_quotation(line: str) -> bool:
    """Return whether a message of a phone's export begins with a quotation mark that this line doesn't close."""
    match = _TABBED.match(line)
    text = match[2].partition("\t")[2] if match else ""
    return text.startswith('"') and text.count('"') % 2 == 1


def _quoted_lines(lines: Sequence[str], speakers: Collection[str]) -> int:
    """Return how many of the lines after an open quotation mark it goes over; 0 if it is only a mark that somebody typed.

    The chat's own people speaking one after the other are no quotation; what was copied from elsewhere into a message is.
    """
    inside: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if match := _TABBED.match(line):
            inside.add(match[2].partition("\t")[0])
        if line.endswith('"') and line.count('"') % 2:
            return 0 if inside and inside.issubset(speakers) else number
    return 0


def _parse_day(line: str) -> _Day | None:
    match = _DAY.fullmatch(unmarked(line))
    if not match:
        return None
    words = next((word for word in (match["after"], match["before"]) if word), "")
    first, second, third = (group for name in "abcdef" if (group := match[name]))
    return _Day((first, second, third), weekday(words))


@dataclass(frozen=True, slots=True)
class _Chat:
    """What only the entire file tells."""

    name: str
    type: ConversationType | None
    speakers: SpeakerPrefixes
    order: DateOrder
    people: set[str]

    def split(self, line: _Line) -> tuple[str, str]:
        """Name and text; what the app itself says has no name."""
        if not line.spaced:
            name, tab, text = line.said.partition("\t")
            return (name, text) if tab else ("", name)
        if is_notice(line.said):
            return "", line.said
        if self.name and line.said.startswith(f"{self.name} "):
            return self.name, line.said[len(self.name) + 1 :]
        return self.speakers.split(line.said) or ("", line.said)


def _recognises(start: bytes) -> bool:
    lines = head_lines(start)
    if not lines:
        return False
    days = _Days()
    opened = [opened for _, line in days.messages((0, line) for line in lines) if (opened := days.opens(line))]
    first = next((line.lstrip("\ufeff").strip() for line in lines if line.strip()), "")
    named = _TITLE.match(first) or ("." in first and _DAY.fullmatch(first))
    return bool(opened) and (bool(named) or all(not line.spaced for line in opened[:50]))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _survey(tree, name)
        key = conversation_key(chat.name, chat.people)
        chat_type = "group" if len(chat.people) > 2 else chat.type or conversation_type(chat.name, chat.people)
        ids = DerivedIds(key)
        with tree.open(name) as stream:
            days = _Days(chat.people)
            for block in blocks(days.messages(text_lines(stream)), name, days.opens):
                yield _message(block, chat, key, chat_type, ids) if isinstance(block, Block) else block


def _survey(tree: Tree, name: str) -> _Chat:
    """Return a first reading, for the chat's name, the order of the dates and the names."""
    with tree.open(name) as stream:
        title = next((line for _, line in text_lines(stream) if line.strip("\ufeff ")), "").lstrip("\ufeff")
    chat = _Chat(*_titled(title), SpeakerPrefixes(" ", words=4), DateOrder(), set())
    with tree.open(name) as stream:
        days = _Days()
        for _, text in days.messages(text_lines(stream)):
            if (line := days.opens(text)) is None:
                continue
            if written := line.written:
                chat.order.see(written)
            if is_notice(line.said):
                continue
            if line.spaced and not (chat.name and line.said.startswith(f"{chat.name} ")):
                chat.speakers.see(line.said)
            elif len(chat.people) < 1024:
                chat.people.add(chat.split(line)[0])
    chat.people.update(list(chat.speakers.names())[:1024])
    chat.people.discard("")
    return chat


def _titled(title: str) -> tuple[str, ConversationType | None]:
    """Return the chat's name and type, which the first line tells."""
    match = _TITLE.match(title)
    words = match[1].strip() if match else ""
    for chat_type, pattern in _TITLES:
        if named := pattern.fullmatch(words):
            return named[1], chat_type
    return words, None


def _message(block: Block[_Line], chat: _Chat, key: str, chat_type: ConversationType, ids: DerivedIds) -> Message:
    line = block.header
    sender, first = chat.split(line)
    whole = text = "\n".join((first, *block.lines))
    if not line.spaced and len(text) > 1 and text[0] == text[-1] == '"' and block.lines:
        text = text[1:-1].replace('""', '"')
    at = chat.order.timestamp(line.written) if line.written else None
    kind, text, media = _content(sender, text, line.spaced)
    return Message(
        platform="line",
        conversation_id=key,
        conversation_type=chat_type,
        conversation_name=chat.name,
        message_id=ids.next(at, sender, whole),
        sender_id="",
        sender_name=sender,
        timestamp=at,
        kind=kind,
        text=text,
        attachments=media,
    )


def _content(sender: str, text: str, desktop: bool) -> tuple[MessageKind, str, tuple[str, ...]]:
    """Kind, words and media of what stands under a name."""
    if text.startswith(_CALL):
        return "call", text, ()
    if not sender or is_notice(text, sender):
        return "service", text, ()
    if media := medium(text, desktop):
        return "message", media[1], (media[0],)
    return "message", text, ()


SOURCE = Source("LINE", claim_each(_recognises), _read)
