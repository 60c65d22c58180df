"""KakaoTalk's chat export: the text files of phones and computers, and the Mac's CSV.

Learned from public parsers and their samples. Computers: `--------------- 2023년 5월 10일 수요일 ---------------`, then
`[name] [오전 9:23] text`. Phones: `2023년 5월 10일 오전 9:23, name : text` or `2023. 5. 10. 21:23, name : text`. CSV:
`Date,User,Message`. Notices have no name, or stand behind a time and a colon. No zone (taken as UTC), no ids.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, MessageKind, Reject
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.local_dates import DateOrder, written_time
from trainer.sources.parsing.participants import conversation_key, conversation_type
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

_COLUMNS = ["Date", "User", "Message"]
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DAY = re.compile(
    r"-{5,} (?:(\d{4})년 (\d{1,2})월 (\d{1,2})일 \S+|[A-Z][a-z]+, ([A-Z][a-z]{2})[a-z]* (\d{1,2}), (\d{4})) -{5,}"
)
_BRACKETS = re.compile(r"\[([^\n]{1,60}?)\] \[((?:오전 |오후 )?\d{1,2}:\d{2}(?: [AP]M)?)\] ?(.*)")
_DATED = re.compile(
    r"(\d{4}[년.] ?\d{1,2}[월.] ?\d{1,2}[일.] (?:오전 |오후 )?\d{1,2}:\d{2})(?:, ([^\n]{1,60}?) : (.*)|[,:] (.*)|)"
)
_SILENT = re.compile(r"\d{4}[년.] ?\d{1,2}[월.] ?\d{1,2}[일.] [월화수목금토일]요일")
_TITLE = re.compile(
    r"(?:(?P<name>.+?)(?: \d+)? ?(?:님과)? 카카오톡 대화|KakaoTalk Chats with (?P<english>.+)|Talk_.+\.txt)"
)
_SAVED = re.compile(r"(?:저장한 날짜|Date Saved) ?: .+")
_FILE_TITLE = re.compile(r"KakaoTalk_Chat_(.+?)_\d{4}-\d\d-\d\d.*")
_NOTICE = re.compile(
    r".{1,60}님이 (?:들어왔습니다|나갔습니다|.{1,80}(?:초대했습니다|되었습니다|변경했습니다))\.?"
    r"|.{1,60}님을 (?:내보냈습니다|.{1,60}초대하였습니다)\.?|채팅방 관리자가 .{1,60}"
    r"|.{1,60} (?:joined|left) this chatroom\.?|.{1,60} invited .{1,80} to this chatroom\.?"
)
_GONE = re.compile(r"(?:삭제된 메시지입니다|메시지가 삭제되었습니다|This message was deleted)\.?")
_CALL = re.compile(r"(?:보이스톡|페이스톡|그룹콜|라이브톡) ?(?:해요|\d.*|취소|부재중|종료|시작)?")
_MEDIA = (
    (re.compile(r"\(?(?:사진|Photos?)\)?(?: \d+장| \d+)?(?:을 보냈습니다\.?)?"), "photo"),
    (re.compile(r"\(?(?:동영상|Video)\)?(?:을 보냈습니다\.?)?"), "video"),
    (re.compile(r"\(?(?:이모티콘|Emoticons?)\)?(?:을 보냈습니다\.?)?"), "sticker"),
    (re.compile(r"\(?(?:음성메시지|Voice message|Voice Note)\)?(?:를 보냈습니다\.?)?"), "voice"),
    (re.compile(r"(?:지도|Map)(?:: .*)?"), "location"),
    (re.compile(r"(?:연락처|Contact)(?:: .*)?"), "contact"),
    (re.compile(r"(?:파일|File): .+"), "file"),
    (re.compile(r"샵검색 ?: ?.*"), "link"),
)
_BOARD = re.compile(
    r"톡게시판 ?['‘\"]?(공지|투표|일정|글)['’\"]? ?: ?(.*)", re.DOTALL
)  # what somebody put on the chat's board
_ON_BOARD = {"투표": "poll", "일정": "event"}
_PICTURE = re.compile(r"[0-9a-f]{32,}\.(?:jpe?g|png|gif|mp4|m4a)")  # the Mac's name of a medium


class _Row(NamedTuple):
    """A message or a notice. clock: its date and time as written. sender: empty for a notice."""

    clock: str
    sender: str
    said: str


class _Lines:
    """What opens a message of a text file; remembers the day that computers write on a line of its own."""

    def __init__(self) -> None:
        self._day = ""

    def messages(self, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """Yield the lines without the title and those of days."""
        for number, (offset, line) in enumerate(lines):
            line = line.lstrip("\ufeff")
            if day := _DAY.fullmatch(line):
                year, month, date, name, other, last = day.groups()
                self._day = f"{year}-{month}-{date}" if year else f"{last}-{_month(name)}-{other}"
            elif not (_SILENT.fullmatch(line) or (number < 6 and (_TITLE.fullmatch(line) or _SAVED.fullmatch(line)))):
                yield offset, line

    def opens(self, line: str) -> _Row | None:
        """Parse a message's first line; None for any other."""
        if self._day and (match := _BRACKETS.fullmatch(line)):
            return _Row(f"{self._day} {match[2]}", match[1], match[3])
        if match := _DATED.fullmatch(line):
            return _Row(match[1], match[2] or "", match[3] if match[2] else match[4] or "")
        return _Row(f"{self._day} 0:00", "", line) if self._day and _NOTICE.fullmatch(line) else None


def _month(name: str) -> int:
    return _MONTHS.index(name) + 1 if name in _MONTHS else 0


def _recognises(start: bytes) -> bool:
    lines, rows = _Lines(), 0
    for _, line in lines.messages((0, line) for line in head_lines(start)[:400]):
        rows += bool((row := lines.opens(line)) and row.sender)
    return rows > 0


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        lines = _Lines()
        title = next(
            (match["name"] or match["english"] for match in map(_TITLE.fullmatch, _opening(tree, name)) if match), ""
        )
        with tree.open(name) as stream:
            people = {row.sender for _, line in lines.messages(text_lines(stream)) if (row := lines.opens(line))} - {""}
        chat, lines = _Chat(title or "", frozenset(people)), _Lines()
        with tree.open(name) as stream:
            for block in blocks(lines.messages(text_lines(stream)), name, lines.opens):
                if isinstance(block, Block):
                    row = block.header
                    yield chat.message(row._replace(said="\n".join((row.said, *block.lines))), name, block.offset)
                else:
                    yield block


def _opening(tree: Tree, name: str) -> list[str]:
    return [line.lstrip("\ufeff") for line in head_lines(tree.head(name))[:6]]


def _read_csv(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        with tree.open(name) as stream:
            people = {item[1]["User"] for item in csv_rows(stream, name) if isinstance(item, tuple)} - {""}
        stem = name.rpartition("/")[2].rpartition(".")[0]
        match = _FILE_TITLE.fullmatch(stem)
        chat = _Chat(match[1] if match else "", frozenset(people))
        with tree.open(name) as stream:
            for item in csv_rows(stream, name):
                if isinstance(item, tuple):
                    offset, fields = item
                    yield chat.message(_Row(fields["Date"], fields["User"], fields["Message"]), name, offset)
                else:
                    yield item


class _Chat:
    """What the messages of a file have in common."""

    def __init__(self, name: str, people: frozenset[str]) -> None:
        self._name = name
        self._key = conversation_key(name, people)
        self._type = conversation_type(name, people)
        self._ids = DerivedIds(self._key)
        self._order = DateOrder()

    def message(self, row: _Row, file: str, offset: int) -> Message | Reject:
        """Return the message of a row; a Reject if its date is none."""
        written = written_time(row.clock)
        at = iso_timestamp(row.clock.replace(" ", "T")) if written is None else self._order.timestamp(written)
        if at is None:
            return Reject(file=file, offset=offset, reason="no such date, or of an unknown calendar", raw=row.said)
        kind, text, attachments = _content(row)
        return Message(
            platform="kakaotalk",
            conversation_id=self._key,
            conversation_type=self._type,
            conversation_name=self._name,
            message_id=self._ids.next(at, row.sender, row.said),
            sender_id="",
            sender_name=row.sender,
            timestamp=at,
            kind=kind,
            text=text,
            attachments=attachments,
        )


def _content(row: _Row) -> tuple[MessageKind, str, tuple[str, ...]]:
    text = row.said.strip()
    if not row.sender or _NOTICE.fullmatch(text):
        return "service", text, ()
    if _GONE.fullmatch(text):
        return "deleted", text, ()
    if _CALL.fullmatch(text):
        return "call", text, ()
    if _PICTURE.fullmatch(text):
        return "message", "", (medium_of(text),)
    if board := _BOARD.fullmatch(text):
        return "message", board[2], (_ON_BOARD.get(board[1], "note"),)
    medium = next((medium for pattern, medium in _MEDIA if pattern.fullmatch(text)), "")
    return ("message", "", (medium,)) if medium else ("message", text, ())


SOURCE = Source("KakaoTalk", claim_each(_recognises), _read)
CSV = Source("KakaoTalk CSV", claim_each(lambda start: csv_header(start) == _COLUMNS), _read_csv)
