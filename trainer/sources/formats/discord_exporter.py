"""DiscordChatExporter's JSON: one channel a file.

Learned from DiscordChatExporter's JsonMessageWriter.cs (2.30 and later): ids are strings, `type` tells ordinary messages
from joins and pins, a reply names its parent in `reference`, a forward carries `forwardedMessage`.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message
from trainer.sources.parsing.attachment import kind_of
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.source import Reading, Source, claim_each

_ORDINARY = {"Default", "Reply", "0", "19"}
_CUSTOM_EMOJI = re.compile(r"<a?(:\w{2,32}:)\d{15,21}>")


class _Author(msgspec.Struct, gc=False):
    id: str = ""
    name: str = ""
    nickname: str | None = None
    isBot: bool = False  # noqa: N815 (the exporter's own spelling)


class _Reference(msgspec.Struct, gc=False):
    messageId: str | None = None  # noqa: N815
    channelId: str | None = None  # noqa: N815


class _Attachment(msgspec.Struct, gc=False):
    fileName: str = ""  # noqa: N815


class _Sticker(msgspec.Struct, gc=False):
    name: str = ""


class _Row(msgspec.Struct, gc=False):
    id: str
    timestamp: str
    author: _Author
    type: str = "Default"
    content: str = ""
    attachments: list[_Attachment] = []
    stickers: list[_Sticker] = []
    mentions: list[_Author] = []
    reference: _Reference | None = None
    forwardedMessage: dict[str, Any] | None = None  # noqa: N815


def _recognises(start: bytes) -> bool:
    return b'"guild"' in start and b'"channel"' in start and b'"messages"' in start


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        channel: dict[str, Any] = {}
        for found in JsonRecords(partial(tree.open, name), name, "messages", _Row):
            if isinstance(found, Opening):
                channel = found.fields.get("channel") or {}
            else:
                yield _message(found, channel) if isinstance(found, _Row) else found


def _message(row: _Row, channel: dict[str, Any]) -> Message:
    reference = row.reference or _Reference()
    kind = str(channel.get("type", ""))
    return Message(
        platform="discord",
        conversation_id=str(channel.get("id", "")),
        conversation_type="dm" if kind in ("DirectTextChat", "DirectGroupTextChat") else "group",
        conversation_name=str(channel.get("name") or ""),
        message_id=row.id,
        sender_id=row.author.id,
        sender_name=row.author.nickname or row.author.name,
        sender_handle=row.author.name,
        is_bot=row.author.isBot,
        timestamp=_timestamp(row.timestamp),
        kind="message" if row.type in _ORDINARY else "service",
        text=_CUSTOM_EMOJI.sub(r"\1", row.content),
        reply_to_id=reference.messageId or "" if row.type in ("Reply", "19") else "",
        forwarded_from="somebody" if row.forwardedMessage else "",
        mentions=tuple((one.id, one.nickname or one.name) for one in row.mentions),
        attachments=(
            *(kind_of(one.fileName) for one in row.attachments),
            *(f"sticker {one.name}".strip() for one in row.stickers),
        ),
    )


def _timestamp(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


SOURCE = Source("DiscordChatExporter JSON", claim_each(_recognises), _read)
