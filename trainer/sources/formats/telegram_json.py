"""Telegram Desktop's result.json: one chat, or a whole account.

Learned from tdesktop's export_output_json.cpp: `text` is a string or a mixed list, `text_entities` is absent in older
files, `date` has no zone, `from` and `forwarded_from` are null for deleted accounts, 4.1.1 wrote `document_id` without
quotes, and versions to this day write \\xHH inside strings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Kind, Message
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.source import Reading, Source, claim_each

_KINDS: dict[str, ConversationType] = {
    "personal_chat": "dm",
    "bot_chat": "dm",
    "saved_messages": "dm",
    "replies": "dm",
    "verification_codes": "dm",
    "public_channel": "channel",
    "private_channel": "channel",
}
_MEDIA = {
    "sticker": "sticker",
    "voice_message": "voice",
    "video_message": "video",
    "video_file": "video",
    "animation": "gif",
    "audio_file": "audio",
}
_UNSET = msgspec.UNSET
_CALLS = ("phone_call", "group_call", "conference_call", "invite_to_group_call")
_LOOK = re.compile(
    rb'"from_id"\s*:|"text_entities"\s*:|"date_unixtime"\s*:|"personal_information"\s*:|"action"\s*:\s*"create_'
)


class _Entity(msgspec.Struct, gc=False):
    type: str = "plain"
    text: str = ""
    user_id: str | int | None = None


class _Row(msgspec.Struct, gc=False):
    id: int
    type: str = "message"
    date: str = ""
    date_unixtime: float | None = None
    edited_unixtime: float | None = None
    action: str = ""
    sender: str | None = msgspec.field(name="from", default=None)
    from_id: str | int | None = None
    text: str | list[str | _Entity] | None = ""
    text_entities: list[_Entity] = []
    forwarded_from: str | msgspec.UnsetType | None = _UNSET
    via_bot: str | None = None
    reply_to_message_id: int | None = None
    reply_to_peer_id: str | int | None = None
    photo: str | None = None
    media_type: str | None = None
    sticker_emoji: str | None = None
    file: str | None = None


def _recognises(start: bytes) -> bool:
    return (b'"messages"' in start and b'"date"' in start and bool(_LOOK.search(start))) or (
        b'"personal_information"' in start and b'"chats"' in start
    )


@dataclass(frozen=True, slots=True)
class _Chat:
    """What the rows of one chat have in common. bot: the sender whose chat it is, if that is a bot."""

    id: str = ""
    kind: ConversationType = "group"
    name: str = ""
    bot: str = "nobody"


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _Chat()
        for found in JsonRecords(partial(tree.open, name), name, "messages", _Row):
            if isinstance(found, _Row):
                yield _message(found, chat)
            elif isinstance(found, Opening):
                chat = _chat(found.fields)
            else:
                yield found


def _chat(fields: dict[str, Any]) -> _Chat:
    number, kind = str(fields.get("id", "")), str(fields.get("type", ""))
    bot = f"user{number}" if kind == "bot_chat" else "nobody"
    return _Chat(number, _KINDS.get(kind, "group"), str(fields.get("name") or ""), bot)


def _message(row: _Row, chat: _Chat) -> Message:
    sender = row.from_id or ""
    if isinstance(sender, int):  # files of 2020 and before have the bare number
        sender = f"user{sender}"
    entities, answered, origin = row.text_entities, row.reply_to_message_id, row.forwarded_from
    plain = (
        len(entities) == 1 and entities[0].type == "plain"
    )  # most messages: the rest of them is worth a quicker look
    message = Message(  # sixteen arguments: with one more, msgspec takes twice as long
        platform="telegram",
        conversation_id=chat.id,
        conversation_type=chat.kind,
        conversation_name=chat.name,
        message_id=str(row.id),
        sender_id=sender,
        sender_name=row.sender or "",
        is_bot=row.via_bot is not None or sender == chat.bot,
        timestamp=_dated(row.date) if row.date_unixtime is None else row.date_unixtime,
        kind="message" if row.type == "message" else _other(row),
        text=entities[0].text if plain else _text(row),
        reply_to_id=str(answered) if answered and not row.reply_to_peer_id else "",
        forwarded_from="" if origin is _UNSET else origin or "somebody",
        mentions=() if plain else _mentions(entities),
        attachments=_attachments(row) if row.media_type or row.photo or row.file else (),
    )
    return message if row.edited_unixtime is None else structs.replace(message, edited_at=row.edited_unixtime)


def _other(row: _Row) -> Kind:
    """The kind of what is no message."""
    return "unsupported" if row.type != "service" else "call" if row.action in _CALLS else "service"


def _mentions(entities: Sequence[_Entity]) -> tuple[tuple[str, str], ...]:
    return tuple(
        [
            (f"user{part.user_id}" if part.user_id else "", part.text.removeprefix("@"))
            for part in entities
            if part.type in ("mention", "mention_name")
        ]
    )


def _dated(date: str) -> float | None:
    try:
        return datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _text(row: _Row) -> str:
    if row.text_entities:
        return "".join([part.text for part in row.text_entities])
    if isinstance(row.text, str):
        return row.text
    return "".join([part if isinstance(part, str) else part.text for part in row.text or ()])


def _attachments(row: _Row) -> tuple[str, ...]:
    if row.media_type == "sticker":
        return (f"sticker {row.sticker_emoji}".strip() if row.sticker_emoji else "sticker",)
    if row.media_type:
        return (_MEDIA.get(row.media_type, "file"),)
    return ("photo",) if row.photo else ("file",) if row.file else ()


SOURCE = Source("Telegram JSON", claim_each(_recognises), _read)
