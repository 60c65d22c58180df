"""A chat in ChatLab's exchange format, as WeFlow and other tools write it: one JSON object, or JSON lines.

Learned from hicccc77/WeFlow's ChatLabFormatter.ts and from a JSON exporter for iMessage: `chatlab`, `meta` (`platform`,
`type`, `name`, `ownerId`), `members`, then `messages` with `sender`, `accountName`, `groupNickname`, `timestamp` (seconds),
`type`, `content`, `platformMessageId` and `replyToMessageId`; in lines each has a `_type`, and `#` begins a comment
(hellodigua/ChatLab, chatlab-format.md). Of a medium `content` is the tool's placeholder, or its path, and
behind a dash what was written with it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind, Reject
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.json_lines import array_or_lines
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.wechat_messages import WeChatContent, parse_message
from trainer.sources.source import Reading, Source, claim_each

_MEDIA = {
    1: "photo",
    2: "voice",
    3: "video",
    4: "file",
    5: "sticker",
    7: "link",
    8: "location",
    24: "app",
    26: "forward",
    27: "contact",
}
_KINDS: dict[int, MessageKind] = {
    **dict.fromkeys((20, 21, 22, 80), "service"),  # red packets, transfers, pats
    23: "call",
    81: "deleted",
    99: "unsupported",
}
_LOOK = re.compile(rb'"chatlab"\s*:\s*\{')
_SAME = {"weixin": "wechat"}  # as ChatLab itself calls it
_COMMENTS = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n)*\s*")
_PLATFORM = re.compile(r"(?!text|roles)[a-z]{1,20}")  # those two are names of our own
_MEDIUM = re.compile(r"\[[^\[\]\n]{1,40}\](?: [^\n]*?)?(?: \u2014 (?:Transcription: )?(?P<words>.*))?", re.DOTALL)
_PATH = re.compile(r"[^\n]{0,400}[/\\][^\n/\\]{1,200}\.\w{2,5}")


class _Meta(msgspec.Struct, rename="camel"):
    name: str = ""
    platform: str = ""
    type: str = ""
    group_id: str | None = None
    owner_id: str | None = None


class _Row(msgspec.Struct, rename="camel"):
    """A message; in JSON lines also the header and the members, by `_type`."""

    line_type: str = msgspec.field(name="_type", default="message")
    meta: _Meta | None = None
    sender: str = ""
    account_name: str | None = None
    group_nickname: str | None = None
    timestamp: float | None = None
    type: int = 99
    content: str | None = None
    platform_message_id: str | None = None
    reply_to_message_id: str | None = None
    platform_id: str = ""


@dataclass(frozen=True, slots=True)
class _Chat:
    """What a file's messages have in common. ids: for messages that have none."""

    id: str
    name: str
    type: ConversationType
    platform: str
    owner: str
    ids: DerivedIds


def _recognises(start: bytes) -> bool:
    return bool(_LOOK.search(start)) and (b'"meta"' in start or b'"_type"' in start)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _chat(_Meta(), tree, name)
        for item in _items(tree, name):
            if isinstance(item, _Meta):
                chat = _chat(item, tree, name)
            else:
                yield item if isinstance(item, Reject) else _message(item, chat)


def _items(tree: Tree, name: str) -> Iterator[_Meta | _Row | Reject]:
    """Yield what the chat is, and its messages."""
    if _is_lines(tree, name):
        for row in _lines(tree, name):
            if isinstance(row, Reject) or row.line_type == "message":
                yield row
            elif row.meta:
                yield row.meta
        return
    for item in JsonRecords(partial(tree.open, name), name, "messages", _Row, needs="meta"):
        yield _meta(item.fields) if isinstance(item, Opening) else item


def _is_lines(tree: Tree, name: str) -> bool:
    return b'"_type"' in _COMMENTS.sub(b"", tree.head(name)).split(b"\n", 1)[0]


def _lines(tree: Tree, name: str) -> Iterator[_Row | Reject]:
    """Yield the lines that are no comments."""
    for line in array_or_lines(tree, name, _Row):
        row = line[1] if isinstance(line, tuple) else line
        if not (isinstance(row, Reject) and row.raw.startswith("#")):
            yield row


def _people(tree: Tree, name: str) -> set[str]:
    """Return the ids of a chat's members, who stand before the messages."""
    if not _is_lines(tree, name):
        members = JsonRecords(partial(tree.open, name), name, "members", _Row)
        return {member.platform_id for member in members if isinstance(member, _Row)}
    before = takewhile(lambda row: isinstance(row, Reject) or row.line_type != "message", _lines(tree, name))
    return {row.platform_id for row in before if isinstance(row, _Row)}


def _chat(meta: _Meta, tree: Tree, name: str) -> _Chat:
    """Return what a chat is. A private one goes by whom it is with: two people may have one name."""
    platform = _SAME.get(meta.platform, meta.platform)
    is_private = meta.type == "private"
    others = (_people(tree, name) if is_private else set()) - {meta.owner_id, ""}
    key = meta.group_id or (min(others) if len(others) == 1 else meta.name)
    return _Chat(
        key,
        meta.name,
        "dm" if is_private else "group",
        platform if _PLATFORM.fullmatch(platform) else "chatlab",
        meta.owner_id or "",
        DerivedIds(key),
    )


def _meta(fields: dict[str, Any]) -> _Meta:
    try:
        return msgspec.convert(fields.get("meta") or {}, _Meta, strict=False)
    except msgspec.ValidationError:
        return _Meta()


def _message(row: _Row, chat: _Chat) -> Message:
    derived = chat.ids.next(row.timestamp, row.sender, f"{row.type} {row.content or ''}")
    return _said(row, chat.platform).message(
        platform=chat.platform,
        conversation_id=chat.id,
        conversation_type=chat.type,
        conversation_name=chat.name,
        message_id=row.platform_message_id or derived,
        sender_id=row.sender,
        sender_name=row.group_nickname or row.account_name or "",
        is_self=bool(row.sender) and row.sender == chat.owner,
        timestamp=row.timestamp,
        reply_to_id=row.reply_to_message_id or "",
    )


def _said(row: _Row, platform: str) -> WeChatContent:
    """Sort a message by its type; WeChat's texts hold placeholders, quotations and notices, too."""
    text = row.content or ""
    if kind := _KINDS.get(row.type):
        return WeChatContent(kind, text)
    if medium := _MEDIA.get(row.type):
        match = _MEDIUM.fullmatch(text.strip())
        words = (match["words"] or "") if match else text if medium == "voice" and not _PATH.fullmatch(text) else ""
        return WeChatContent("message", words, medium)
    return parse_message("text", "", text) if platform == "wechat" else WeChatContent("message", text)


SOURCE = Source("ChatLab", claim_each(_recognises), _read, experimental=True)
