"""A chat in ChatLab's exchange format, as WeFlow and other tools write it: one JSON object, or JSON lines.

Learned from hicccc77/WeFlow's ChatLabFormatter.ts and from a JSON exporter for iMessage: `chatlab`, `meta` (`platform`,
`type`, `name`, `ownerId`), `members`, then `messages` with `sender`, `accountName`, `groupNickname`, `timestamp` (seconds),
`type`, `content`, `platformMessageId` and `replyToMessageId`; in lines each has a `_type`. The types 20 to 22, 26 and 27 are
from ChatLab's description, not from a tool's source. Of a medium `content` is the tool's placeholder, or its path, and
behind a dash what was written with it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, MessageKind, Reject
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


def _recognises(start: bytes) -> bool:
    return bool(_LOOK.search(start)) and (b'"meta"' in start or b'"_type"' in start)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        meta, number = _Meta(), 0
        for item in _items(tree, name):
            if isinstance(item, _Meta):
                meta = item
            elif isinstance(item, Reject):
                yield item
            else:
                number += 1
                yield _message(item, meta, number)


def _items(tree: Tree, name: str) -> Iterator[_Meta | _Row | Reject]:
    """Yield what the chat is, and its messages."""
    if b'"_type"' in tree.head(name).split(b"\n", 1)[0]:
        for line in array_or_lines(tree, name, _Row):
            row = line[1] if isinstance(line, tuple) else line
            if isinstance(row, Reject) or row.line_type == "message":
                yield row
            elif row.meta:
                yield row.meta
        return
    for item in JsonRecords(partial(tree.open, name), name, "messages", _Row, needs="meta"):
        yield _meta(item.fields) if isinstance(item, Opening) else item


def _meta(fields: dict[str, Any]) -> _Meta:
    try:
        return msgspec.convert(fields.get("meta") or {}, _Meta, strict=False)
    except msgspec.ValidationError:
        return _Meta()


def _message(row: _Row, meta: _Meta, number: int) -> Message:
    platform = meta.platform if _PLATFORM.fullmatch(meta.platform) else "chatlab"
    said = _said(row, platform)
    return Message(
        platform=platform,
        conversation_id=meta.group_id or meta.name,
        conversation_type="dm" if meta.type == "private" else "group",
        conversation_name=meta.name,
        message_id=row.platform_message_id or f"{row.timestamp}/{number}",
        sender_id=row.sender,
        sender_name=row.group_nickname or row.account_name or "",
        is_self=bool(row.sender) and row.sender == meta.owner_id,
        timestamp=row.timestamp,
        kind=said.kind,
        text=said.text,
        reply_to_id=row.reply_to_message_id or "",
        quoted_text=said.quoted_text,
        reply_to_name=said.quoted_name,
        attachments=(said.medium,) if said.medium else (),
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
