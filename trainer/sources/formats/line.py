"""LINE's chat history as text, of phones and of the desktop.

Learned from public parsers and their samples. `[LINE] Chat history with NAME` (in the app's language), `Saved on: …`,
then days and messages. Phones: `2021/03/04(Thu)` or `Thu, 3/4/2021` (which number is the day is decided by the whole
file), then `10:05<tab>name<tab>text`, in 12 hours `午後10:05`, `10:05PM`; many lines stand in quotation marks; what the
app says has no name. Desktop: `2021.03.04 Thursday`, without a first line in some versions, then `10:05 name text`,
where names may hold blanks: a name is what stands in the first line, else as long as everything that begins with it
goes on alike. No zone (taken as UTC), no ids.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.local_dates import DateOrder, WrittenTime, written_time
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
    r"(?:(\d{4})[./](\d{1,2})[./](\d{1,2})\.? ?(?:[(（][^)）\s]{1,12}[)）]|[^\s\d:]{1,14})?"
    r"|[^\W\d]{2,12}\.?, ?(\d{1,2})/(\d{1,2})/(\d{4}))"
)
_CLOCK = r"(?:[^\W\d]{1,3}\.?[^\W\d]?\.? ?)?\d{1,2}:\d{2}(?: ?[AaPp]\.?[Mm]\.?)?"
_TABBED = re.compile(rf"({_CLOCK})\t(.*)", re.DOTALL)
_SPACED = re.compile(rf"({_CLOCK}) (\S.*)")
_BRACKETED = re.compile(r"\[([^\[\]\n]{1,20})\](?: .{0,200})?")
_MEDIA = {
    "sticker": "sticker stickers スタンプ 貼圖 贴图 스티커 สติกเกอร์ stiker",
    "photo": "photo photos 写真 画像 照片 圖片 图片 사진 รูป รูปภาพ ภาพ foto",
    "video": "video videos 動画 影片 视频 동영상 วิดีโอ",
    "voice": "voice message|voice messages|audio|ボイスメッセージ|音声|語音訊息|语音消息|음성메시지|ข้อความเสียง",
    "file": "file files ファイル 檔案 文件 파일 ไฟล์ contact 連絡先 聯絡資訊 연락처 location 位置情報 位置訊息 album アルバム 相簿"
    " note ノート 記事本",
}
_KINDS = {
    word: kind for kind, words in _MEDIA.items() for word in (words.split("|") if "|" in words else words.split())
}
_DESKTOP_MEDIA = frozenset(
    ("photos", "stickers", "videos", "画像", "スタンプ", "動画", "圖片", "貼圖", "影片", "사진", "스티커")
)
_CALL = "☎"


class _Line(NamedTuple):
    """A line that begins a message. said: name and text. spaced: they are parted by a blank."""

    day: tuple[str, str, str]
    clock: str
    said: str
    spaced: bool

    @property
    def written(self) -> WrittenTime | None:
        """Its date and time, in the notation of its day line."""
        return written_time(f"{'/'.join(self.day)} {self.clock}")


class _Days:
    """The days of a file: takes their lines out, and says what opens a message."""

    def __init__(self) -> None:
        self._day: tuple[str, str, str] | None = None

    def messages(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """The lines without those that name the chat or a day."""
        blank = True
        for number, (offset, line) in enumerate(lines):
            line = line.lstrip("\ufeff")
            if (found := _DAY.fullmatch(line.strip())) and (blank or not line.strip()[-1].isdecimal()):
                self._day = _numbers(found)
            elif number > 2 or not (_TITLE.match(line) or _SAVED.fullmatch(line)):
                yield offset, line
            blank = not line.strip() or number < 3

    def opens(self, line: str) -> _Line | None:
        """What a message's first line says; None for any other."""
        if self._day is None:
            return None
        if found := _TABBED.match(line):
            return _Line(self._day, found[1], found[2], False)
        found = _SPACED.match(line)
        return _Line(self._day, found[1], found[2], True) if found else None


def _numbers(day: "re.Match[str]") -> tuple[str, str, str]:
    first, second, third = (group for group in day.groups() if group)
    return first, second, third


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
        if self.name and line.said.startswith(f"{self.name} "):
            return self.name, line.said[len(self.name) + 1 :]
        return self.speakers.split(line.said) or ("", line.said)


def _recognises(start: bytes) -> bool:
    lines = head_lines(start)
    if not lines:
        return False
    days = _Days()
    opened = [found for _, line in days.messages((0, line) for line in lines) if (found := days.opens(line))]
    first = next((line.lstrip("\ufeff").strip() for line in lines if line.strip()), "")
    named = _TITLE.match(first) or ("." in first and _DAY.fullmatch(first))
    return bool(opened) and (bool(named) or all(not line.spaced for line in opened[:50]))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _survey(tree, name)
        key = conversation_key(chat.name, chat.people)
        kind = "group" if len(chat.people) > 2 else chat.type or conversation_type(chat.name, chat.people)
        ids = DerivedIds(key)
        with tree.open(name) as stream:
            days = _Days()
            for block in blocks(days.messages(text_lines(stream)), name, days.opens):
                yield _message(block, chat, key, kind, ids) if isinstance(block, Block) else block


def _survey(tree: Tree, name: str) -> _Chat:
    """A first reading, for the chat's name, the order of the dates and the names."""
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
            if line.spaced and not (chat.name and line.said.startswith(f"{chat.name} ")):
                chat.speakers.see(line.said)
            elif len(chat.people) < 1024:
                chat.people.add(chat.split(line)[0])
    chat.people.update(list(chat.speakers.names())[:1024])
    chat.people.discard("")
    return chat


def _titled(title: str) -> tuple[str, ConversationType | None]:
    """The chat's name and type in the first line: it says `with` somebody or `in` a group."""
    found = _TITLE.match(title)
    words = found[1].strip() if found else ""
    for kind, pattern in _TITLES:
        if named := pattern.fullmatch(words):
            return named[1], kind
    return words, None


def _message(block: Block[_Line], chat: _Chat, key: str, kind: ConversationType, ids: DerivedIds) -> Message:
    line = block.header
    sender, first = chat.split(line)
    text = "\n".join((first, *block.lines))
    if not line.spaced and len(text) > 1 and text[0] == text[-1] == '"' and block.lines:
        text = text[1:-1].replace('""', '"')
    at = chat.order.timestamp(line.written) if line.written else None
    media = _media(text, line.spaced)
    return Message(
        platform="line",
        conversation_id=key,
        conversation_type=kind,
        conversation_name=chat.name,
        message_id=ids.next(at, sender, text),
        sender_id="",
        sender_name=sender,
        timestamp=at,
        kind="call" if text.startswith(_CALL) else "message" if sender else "service",
        text="" if media else text,
        attachments=(media,) if media else (),
    )


def _media(text: str, desktop: bool) -> str:
    """The kind of what a text stands for; empty where it is a text."""
    if found := _BRACKETED.fullmatch(text.strip()):
        return _KINDS.get(found[1].casefold().strip(), "")
    return _KINDS[text.casefold()] if desktop and text.casefold() in _DESKTOP_MEDIA else ""


SOURCE = Source("LINE", claim_each(_recognises), _read)
