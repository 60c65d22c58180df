"""Telegram Desktop's result.json: one chat, or a whole account.

Learned from tdesktop's export_output_json.cpp: `text` is a string or a mixed list, `text_entities` is absent in older
files, `date` has no zone, `from` and `forwarded_from` are null for deleted accounts, 4.1.1 wrote `document_id` without
quotes, and versions to this day write \\xHH inside strings. A topic of a forum is a channel of its own: a message answers
the `topic_created` row of its topic, or a message in it. A block quote is a quotation if other words stand beside it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from msgspec import structs

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.telegram_rich import rich_text
from trainer.sources.parsing.telegram_row import (
    UNSET,
    TelegramRow,
    attachments_of,
    mentions_of,
    reactions_of,
    text_of,
    things_of,
    unquoted,
    words_of_thing,
)
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.parsing.unread import EmptyRows
from trainer.sources.source import Reading, Source, claim_each, companions

_CONVERSATION_TYPES: dict[str, ConversationType] = {
    "personal_chat": "dm",
    "bot_chat": "dm",
    "saved_messages": "dm",
    "replies": "dm",
    "verification_codes": "dm",
    "public_channel": "channel",
    "private_channel": "channel",
}
_KNOWN_KEYS = frozenset(
    "id type date date_unixtime edited edited_unixtime from from_id author text text_entities reply_to_message_id"
    " reply_to_peer_id via_bot forwarded_from forwarded_from_id saved_from reactions inline_bot_buttons width height"
    " contact_vcard self_destruct_period_seconds".split()
)
_CALLS = ("phone_call", "group_call", "conference_call", "invite_to_group_call")
_LOOK = re.compile(
    rb'"from_id"\s*:|"text_entities"\s*:|"date_unixtime"\s*:|"personal_information"\s*:|"action"\s*:\s*"create_'
)


def _recognises(start: bytes) -> bool:
    return (b'"messages"' in start and b'"date"' in start and bool(_LOOK.search(start))) or (
        b'"personal_information"' in start and b'"chats"' in start
    )


@dataclass(frozen=True, slots=True)
class _Chat:
    """What the rows of one chat have in common.

    bot: the sender whose chat it is, if that is a bot. topics: names of a forum's topics by the row that opened them.
    topic_of: the topic of each message in one.
    """

    id: str = ""
    type: ConversationType = "group"
    name: str = ""
    bot: str = "nobody"
    topics: dict[int, str] = field(default_factory=dict)
    topic_of: dict[int, int] = field(default_factory=dict)

    def topic(self, row: TelegramRow) -> int:
        """Return the topic of a message; 0 for none. What it answers stands before it."""
        answered = row.reply_to_message_id or 0
        topic = answered if answered in self.topics else self.topic_of.get(answered, 0)
        if topic:
            self.topic_of[row.id] = topic
        return topic


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat, empty = _Chat(), EmptyRows(_KNOWN_KEYS)
        for item in JsonRecords(partial(tree.open, name), name, "messages", TelegramRow, needs="type"):
            if isinstance(item, TelegramRow):
                message = _message(item, chat)
                if not (message.text or message.attachments or message.quoted_text) and message.kind == "message":
                    empty.note(message.message_id)
                yield message
            elif isinstance(item, Opening):
                chat = _chat(item.fields)
            else:
                yield item
        yield from empty.rejects(JsonRecords(partial(tree.open, name), name, "messages", dict[str, Any]), name)


def _chat(fields: dict[str, Any]) -> _Chat:
    number, chat_type = str(fields.get("id", "")), str(fields.get("type", ""))
    bot = f"user{number}" if chat_type == "bot_chat" else "nobody"
    return _Chat(number, _CONVERSATION_TYPES.get(chat_type, "group"), str(fields.get("name") or ""), bot)


def _message(row: TelegramRow, chat: _Chat) -> Message:
    sender = row.from_id or ""
    if isinstance(sender, int):  # files of 2020 and before have the bare number
        sender = f"user{sender}"
    entities, answered, origin = row.text_entities, row.reply_to_message_id, row.forwarded_from
    is_plain = len(entities) == 1 and entities[0].type == "plain"  # most messages: others are worth a longer look
    message = Message(  # sixteen arguments: with one more, msgspec takes twice as long
        platform="telegram",
        conversation_id=chat.id,
        conversation_type=chat.type,
        conversation_name=chat.name,
        message_id=str(row.id),
        sender_id=sender,
        sender_name=row.sender or "",
        is_bot=row.via_bot is not None or sender == chat.bot,
        timestamp=iso_timestamp(row.date) if row.date_unixtime is None else row.date_unixtime,
        kind="message" if row.type == "message" else _other(row),
        text=entities[0].text if is_plain else text_of(row),
        reply_to_id=str(answered) if answered and not row.reply_to_peer_id else "",
        forwarded_from="" if origin is UNSET else origin or "somebody",
        mentions=() if is_plain else mentions_of(entities),
        attachments=attachments_of(row) if row.media_type or row.photo or row.file else (),
    )
    if is_plain and not (chat.topics or row.reactions or row.edited_unixtime):
        return message
    return _completed(message, row, chat)


def _completed(message: Message, row: TelegramRow, chat: _Chat) -> Message:
    """Return the message with what few of them have."""
    changes: dict[str, Any] = {}
    if row.edited_unixtime is not None:
        changes["edited_at"] = row.edited_unixtime
    if row.reactions:
        changes["reactions"] = reactions_of(row.reactions)
    if row.rich_message:
        rich = rich_text(row.rich_message)
        changes |= {"text": "\n".join(rich.lines), "quoted_text": "\n".join(rich.quoted)}
        changes["attachments"] = (*message.attachments, *rich.attachments)
    elif any(part.type == "blockquote" for part in row.text_entities):
        changes |= unquoted(row.text_entities)
    elif not message.text and not message.attachments and row.type == "message":
        changes |= {"text": words_of_thing(row), "attachments": things_of(row)}
    if row.action == "topic_created":
        chat.topics[row.id] = row.title or str(row.id)
    elif chat.topics and (topic := chat.topic(row)):
        changes["conversation_id"] = f"{chat.id}/{topic}"
        changes["conversation_name"] = f"{chat.name} / {chat.topics[topic]}"
        if row.reply_to_message_id == topic:  # so every message of a topic is marked
            changes["reply_to_id"] = ""
    return structs.replace(message, **changes) if changes else message


def _other(row: TelegramRow) -> MessageKind:
    """Return the kind of what is no message."""
    return "unsupported" if row.type != "service" else "call" if row.action in _CALLS else "service"


SOURCE = Source(
    "Telegram JSON",
    claim_each(_recognises),
    _read,
    is_companion=companions(
        r"(?:^|/)(?:css|js|images|photos|video_files|round_video_messages|voice_messages|stickers|files"
        r"|contacts|lists|profile_pictures|stories)/|export_results\.html$"
    ),
)
