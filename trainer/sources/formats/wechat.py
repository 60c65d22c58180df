"""WeChat's messages as CSV, of the tools that read its database.

PyWxDump and WeClone: `id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime`; WeFlow the same without
`room_name`, a file a chat; older ones have `content` for `msg` and `src`; WeChatMsg:
`localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender`.

Learned from those tools' sources and tests. Columns are taken by name, in any order. Times are local without a zone (taken
as UTC), ISO 8601 with one, Unix seconds, or a spreadsheet's. `talker` is who speaks, `room_name` where; the account's own
lines are is_self. What media are is in the type, what cards and places say is the app's and is left out.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.parsing.wechat_messages import parse_message
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_TOOLS = (  # the columns that tell them, in lower case
    {"type_name", "is_sender", "talker", "createtime"},
    {"type", "issender", "createtime", "strcontent"},
)
_TRUE = ("1", "True", "true")
_FILE_PART = re.compile(r"_\d+_\d+$")  # PyWxDump writes a file for so and so many messages
_EXCEL = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2}) (\d{1,2}):(\d{2})(?::(\d{2}))?")
_MAX_REMEMBERED = 4096  # messages by their time, which a quotation names


class _Line(NamedTuple):
    """A row, whichever tool wrote it."""

    id: str
    type: str
    mine: bool
    sender: str
    sender_name: str
    room: str
    room_name: str
    text: str
    time: str
    subtype: str = ""


def _recognises(start: bytes) -> bool:
    columns = {column.lower() for column in csv_header(start)}
    return any(needed <= columns for needed in _TOOLS)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        stem = _FILE_PART.sub("", name.rpartition("/")[2].rpartition(".")[0])
        chats: dict[str, _Chat] = {}
        crowd = _is_crowd(tree, name)
        with tree.open(name) as stream:
            for row in csv_rows(stream, name):
                if not isinstance(row, tuple):
                    yield row
                    continue
                line = _line({key.lower(): value for key, value in row[1].items()}, stem)
                if len(chats) > 1024:
                    chats.clear()
                chat = chats.setdefault(line.room, _Chat(DerivedIds(line.room)))
                yield _message(line, chat, crowd)


def _is_crowd(tree: Tree, name: str) -> bool:
    """Return whether a file that doesn't name its chat has several people in it."""
    others: set[str] = set()
    with tree.open(name) as stream:
        for row in csv_rows(stream, name):
            if not isinstance(row, tuple):
                continue
            fields = {key.lower(): value for key, value in row[1].items()}
            if "room_name" in fields or "talker" not in fields or len(others) > 1:
                break
            if fields.get("is_sender", "0").strip() not in _TRUE:
                others.add(fields["talker"])
    return len(others) > 1


class _Chat:
    """A chat while it is read: its ids, and the latest messages by their time."""

    def __init__(self, ids: DerivedIds) -> None:
        self.ids = ids
        self._by_time: OrderedDict[str, str] = OrderedDict()

    def remember(self, time: str, message_id: str) -> None:
        """Keep what stands at a time."""
        self._by_time[time.strip()] = message_id
        if len(self._by_time) > _MAX_REMEMBERED:
            self._by_time.popitem(last=False)

    def at(self, time: str) -> str:
        """Return the message at a time; empty if it is not known."""
        return self._by_time.get(time.strip(), "") if time else ""


def _line(row: dict[str, str], stem: str) -> _Line:
    mine = row.get("is_sender", row.get("issender", "0")).strip() in _TRUE
    number = row.get("msgsvrid", "").strip()
    number = number if number.isdecimal() else ""  # a spreadsheet makes 9.0E+18 of them, one and the same for many
    if "strcontent" in row:
        talker = row.get("nickname") or row.get("remark") or ""
        time = row["createtime"] if row["createtime"].strip().isdecimal() else row.get("strtime", "")
        sender = row.get("sender", "")
        name, room = sender or talker, row.get("talkerid", "") or stem
        text, subtype = row["strcontent"], row.get("subtype", "")
        return _Line(number, row["type"], mine, sender, name, room, stem, text, time, subtype)
    talker = row["talker"]
    room = (row["room_name"] or ("" if mine else talker) or stem) if "room_name" in row else stem
    text = row["msg"] if "msg" in row else _content(row.get("content", ""))
    return _Line(number, row["type_name"], mine, talker, talker, room, room, text, row["createtime"])


def _content(text: str) -> str:
    """Return the words of an older file's `content`, which is JSON."""
    try:
        record = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return str(record.get("msg", "")) if isinstance(record, dict) else text


def _message(line: _Line, chat: _Chat, crowd: bool) -> Message:
    said = parse_message(line.type, line.subtype, line.text)
    at = _timestamp(line.time.strip())
    message_id = line.id if line.id.strip("0") else chat.ids.next(at, line.sender, line.text)
    parent = chat.at(said.quoted_time)
    if parent:
        said = said._replace(quoted_name="", quoted_text="")
    chat.remember(line.time, message_id)
    return said.message(
        platform="wechat",
        conversation_id=line.room,
        conversation_type="group" if crowd or line.room.endswith("@chatroom") else "dm",
        conversation_name=line.room_name,
        message_id=message_id,
        sender_id="" if line.mine else line.sender,
        sender_name=ME if line.mine else line.sender_name,
        is_self=line.mine,
        timestamp=at,
        reply_to_id=parent,
    )


def _timestamp(text: str) -> float | None:
    if text.isdecimal() and len(text) <= 13:
        return int(text) / (1000 if len(text) == 13 else 1)
    try:
        if match := _EXCEL.fullmatch(text):  # as spreadsheets write it: 2024/10/4 11:42
            year, month, day, hour, minute, second = (int(number or 0) for number in match.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return iso_timestamp(text)


SOURCE = Source("WeChat CSV", claim_each(_recognises), _read)
