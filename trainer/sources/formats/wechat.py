"""WeChat's messages as CSV, of the tools that read its database: PyWxDump, WeClone and WeFlow
(`id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime`, older ones with `content` in place of `msg` and
`src`), and WeChatMsg (`localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender`).

Learned from those tools' sources and tests. Columns are taken by name, in any order. Times are local without a zone (taken
as UTC), ISO 8601 with one, or Unix seconds. `talker` is who speaks, `room_name` where; the account's own lines are is_self.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_TOOLS = (  # the columns that tell them, in lower case
    {"type_name", "is_sender", "talker", "createtime"},
    {"type", "issender", "createtime", "strcontent"},
)
_TYPES = {
    "text": "1 text 文本 文字 文本消息 quote 引用 引用回复 带有引用的文本消息",
    "photo": "3 image picture 图片 圖片",
    "voice": "34 voice 语音 語音",
    "video": "43 62 video 视频 視頻 小视频",
    "sticker": "47 sticker emoji 动画表情 表情 表情包 动态表情",
    "file": "49 42 48 file 文件 链接 卡片式链接 分享链接 (分享)卡片式链接 名片 位置 地理位置 app 合并转发 合并转发的聊天记录"
    " 小程序",
    "call": "50 call voip 语音通话 视频通话 音视频通话",
    "service": "10000 10002 system 系统通知 系统消息 系统 拍一拍 撤回 revoke 红包 转账 (分享)音乐",
}
_KINDS = {word: kind for kind, words in _TYPES.items() for word in words.split()}
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,12}\]")
_XML = re.compile(r"\s*<(?:\?xml|msg|sysmsg)\b")


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


def _recognises(start: bytes) -> bool:
    columns = {column.lower() for column in csv_header(start)}
    return any(needed <= columns for needed in _TOOLS)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        stem = name.rpartition("/")[2].rpartition(".")[0]
        ids: dict[str, DerivedIds] = {}
        with tree.open(name) as stream:
            for found in csv_rows(stream, name):
                if not isinstance(found, tuple):
                    yield found
                    continue
                line = _line({key.lower(): value for key, value in found[1].items()}, stem)
                if len(ids) > 1024:
                    ids.clear()
                yield _message(line, ids.setdefault(line.room, DerivedIds(line.room)))


def _line(row: dict[str, str], stem: str) -> _Line:
    mine = row.get("is_sender", row.get("issender", "0")).strip() in ("1", "True", "true")
    if "strcontent" in row:
        talker = row.get("nickname") or row.get("remark") or ""
        room = row.get("talkerid", "")
        time = row["createtime"] if row["createtime"].strip().isdecimal() else row.get("strtime", "")
        sender = row.get("sender", "")
        return _Line(
            row.get("msgsvrid", ""),
            row["type"],
            mine,
            sender,
            sender or talker,
            room or stem,
            stem,
            row["strcontent"],
            time,
        )
    talker = row["talker"]
    room = row.get("room_name") or ("" if mine else talker) or stem
    text = row["msg"] if "msg" in row else _content(row.get("content", ""))
    number = row.get("msgsvrid", "").strip()
    return _Line(number, row["type_name"], mine, talker, talker, room, room, text, row["createtime"])


def _content(text: str) -> str:
    """The words of an older file's `content`, which is JSON."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return str(found.get("msg", "")) if isinstance(found, dict) else text


def _message(line: _Line, ids: DerivedIds) -> Message:
    empty = bool(_PLACEHOLDER.fullmatch(line.text.strip()) or _XML.match(line.text))
    kind = _KINDS.get(line.type.strip().casefold(), "file" if empty else "text")
    at = _timestamp(line.time.strip())
    group = line.room.endswith("@chatroom")
    spoken = kind not in ("service", "call")
    attached = spoken and kind != "text"
    return Message(
        platform="wechat",
        conversation_id=line.room,
        conversation_type="group" if group else "dm",
        conversation_name=line.room_name,
        message_id=line.id if line.id.strip("0") else ids.next(at, line.sender, line.text),
        sender_id="" if line.mine else line.sender,
        sender_name=ME if line.mine else line.sender_name,
        is_self=line.mine,
        timestamp=at,
        kind="message" if spoken else "call" if kind == "call" else "service",
        text="" if attached and empty else line.text,
        attachments=(kind,) if attached else (),
    )


def _timestamp(text: str) -> float | None:
    if text.isdecimal() and len(text) <= 13:
        return int(text) / (1000 if len(text) == 13 else 1)
    return iso_timestamp(text)


SOURCE = Source("WeChat CSV", claim_each(_recognises), _read)
