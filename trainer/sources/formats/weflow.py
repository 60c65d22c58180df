"""WeChat as WeFlow writes it, in JSON and as text; its CSV is the WeChat CSV's, its ChatLab files ChatLab's.

Learned from hicccc77/WeFlow's JsonFormatter.ts, TxtFormatter.ts and exportService.ts. JSON: `weflow`, `session` (`wxid` or
`accountId`, `displayName`, `type` 群聊 or 私聊), then `messages` with `createTime`, `type`, `content`, `isSend`,
`senderUsername`, `senderDisplayName`, `platformMessageId`, `replyToMessageId`; "arkme" files have numbered `senders` before
them. Text: `2024-10-04 11:42:05 'name'`, the message, a blank line; in private chats you are 我, in groups you stand under
your name. Its times are local, without a zone (taken as UTC), and it has no ids. Media are a tag such as `[图片]`, or a path.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.participants import conversation_type
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.parsing.wechat_messages import WeChatContent, parse_message
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_SELF = "我"
_HEADER = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) '(.{1,120})'")
_FOLDERS = {
    "images": "photo",
    "voices": "voice",
    "videos": "video",
    "emojis": "sticker",
    "files": "file",
    "file": "file",
}
_PATH = re.compile(rf"(?:[^\n/\\]{{1,200}}[/\\])*({'|'.join(_FOLDERS)})[/\\][^\n/\\]{{1,200}}\.\w{{2,5}}")
_WEFLOW = re.compile(rb'"weflow"\s*:\s*\{')
_MAX_PEOPLE = 500  # who are told apart in a text; a group of WeChat has no more


class _Row(msgspec.Struct, rename="camel"):
    create_time: float | None = None
    type: str = ""
    content: str | None = None
    is_send: int = 0
    sender_username: str | None = None
    sender_display_name: str | None = None
    sender_id: int | None = msgspec.field(name="senderID", default=None)
    platform_message_id: str | None = None
    reply_to_message_id: str | None = None


class _Sender(msgspec.Struct, rename="camel"):
    number: int = msgspec.field(name="senderID", default=0)
    wxid: str | None = None
    account_id: str | None = None
    display_name: str | None = None


class _Chat(NamedTuple):
    id: str
    name: str
    type: ConversationType


def _recognises_json(start: bytes) -> bool:
    return bool(_WEFLOW.search(start)) and b'"session"' in start


def _read_json(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        reopen = partial(tree.open, name)
        listed = JsonRecords(reopen, name, "senders", _Sender) if b'"senders"' in tree.head(name) else ()
        senders = {sender.number: sender for sender in listed if isinstance(sender, _Sender)}
        chat, ids = _Chat(name, "", "dm"), DerivedIds(name)
        for item in JsonRecords(reopen, name, "messages", _Row, needs="session"):
            if isinstance(item, Opening):
                chat = _chat(item.fields, name)
                ids = DerivedIds(chat.id)
            else:
                yield _message(item, senders, chat, ids) if isinstance(item, _Row) else item


def _chat(fields: dict[str, Any], file: str) -> _Chat:
    session = fields.get("session")
    about = session if isinstance(session, dict) else {}
    number = str(about.get("wxid") or about.get("accountId") or file)
    is_group = about.get("type") == "群聊" or number.endswith("@chatroom")
    return _Chat(number, str(about.get("displayName") or ""), "group" if is_group else "dm")


def _message(row: _Row, senders: dict[int, _Sender], chat: _Chat, ids: DerivedIds) -> Message:
    known = senders.get(row.sender_id or 0, _Sender())
    sender = row.sender_username or known.wxid or known.account_id or ""
    text = row.content or ""
    said = _said(row.type, text)
    derived = ids.next(row.create_time, sender, text)
    return said.message(
        platform="wechat",
        conversation_id=chat.id,
        conversation_type=chat.type,
        conversation_name=chat.name,
        message_id=row.platform_message_id or derived,
        sender_id=sender,
        sender_name=row.sender_display_name or known.display_name or "",
        is_self=bool(row.is_send),
        timestamp=row.create_time,
        reply_to_id=row.reply_to_message_id or "",
    )


def _said(type_name: str, text: str) -> WeChatContent:
    """Return what a message says; a file that was exported with it stands for it by its path."""
    if match := _PATH.fullmatch(text.strip()):
        return WeChatContent("message", "", _FOLDERS[match[1]])
    return parse_message(type_name, "", text)


class _Line(NamedTuple):
    at: float | None
    sender: str


def _opens(line: str) -> _Line | None:
    match = _HEADER.fullmatch(line)
    return _Line(iso_timestamp(match[1].replace(" ", "T")), match[2]) if match else None


def _recognises_text(start: bytes) -> bool:
    lines = head_lines(start)
    return bool(lines) and _opens(lines[0].removeprefix("\ufeff")) is not None


def _read_text(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        title = name.rpartition("/")[2].rpartition(".")[0]
        people = _people(tree, name)
        chat_type = "dm" if _SELF in people and len(people) < 3 else conversation_type(title, people)
        chat, ids = _Chat(title, title, chat_type), DerivedIds(title)
        with tree.open(name) as stream:
            for block in blocks(text_lines(stream), name, _opens):
                yield _text_message(block, chat, ids) if isinstance(block, Block) else block


def _people(tree: Tree, name: str) -> set[str]:
    """Return who speaks, as far as some hundred."""
    people: set[str] = set()
    with tree.open(name) as stream:
        for _, text in text_lines(stream):
            if line := _opens(text):
                people.add(line.sender)
            if len(people) >= _MAX_PEOPLE:
                break
    return people


def _text_message(block: Block[_Line], chat: _Chat, ids: DerivedIds) -> Message:
    line, text = block.header, "\n".join(block.lines)
    said = _said("text", text)
    is_self = line.sender == _SELF
    return said.message(
        platform="wechat",
        conversation_id=chat.id,
        conversation_type=chat.type,
        conversation_name=chat.name,
        message_id=ids.next(line.at, line.sender, text),
        sender_id="",
        sender_name=ME if is_self else line.sender,
        is_self=is_self,
        timestamp=line.at,
    )


JSON = Source("WeFlow JSON", claim_each(_recognises_json), _read_json, experimental=True)
TEXT = Source("WeFlow text", claim_each(_recognises_text), _read_text, experimental=True)
