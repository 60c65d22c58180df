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

import msgspec
from msgspec import structs

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.telegram_rich import plain, rich_text
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
_MEDIA = {
    "sticker": "sticker",
    "voice_message": "voice",
    "video_message": "video",
    "video_file": "video",
    "animation": "gif",
    "audio_file": "audio",
}
_THINGS = {
    "photo": "photo",
    "file": "file",
    "poll": "poll",
    "todo_list": "checklist",
    "location_information": "location",
    "place_name": "location",
    "contact_information": "contact",
    "game_title": "game",
    "paid_stars_amount": "paid media",
    "invoice_information": "invoice",
    "giveaway_information": "giveaway",
}
_KNOWN_KEYS = frozenset(
    "id type date date_unixtime edited edited_unixtime from from_id author text text_entities reply_to_message_id"
    " reply_to_peer_id via_bot forwarded_from forwarded_from_id saved_from reactions inline_bot_buttons width height"
    " contact_vcard self_destruct_period_seconds".split()
)
_UNSET = msgspec.UNSET
_CALLS = ("phone_call", "group_call", "conference_call", "invite_to_group_call")
_LOOK = re.compile(
    rb'"from_id"\s*:|"text_entities"\s*:|"date_unixtime"\s*:|"personal_information"\s*:|"action"\s*:\s*"create_'
)


class _Entity(msgspec.Struct, gc=False):
    type: str = "plain"
    text: str = ""
    user_id: str | int | None = None


class _Reactor(msgspec.Struct, gc=False):
    name: str | None = msgspec.field(name="from", default=None)
    from_id: str | int | None = None


class _Reaction(msgspec.Struct, gc=False):
    emoji: str = ""
    recent: list[_Reactor] = []


class _Row(msgspec.Struct, gc=False):
    id: int
    type: str = "message"
    date: str = ""
    date_unixtime: float | None = None
    edited_unixtime: float | None = None
    action: str = ""
    title: str | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    from_id: str | int | None = None
    text: str | list[str | _Entity] | None = ""
    text_entities: list[_Entity] = []
    rich_message: dict[str, Any] | None = None
    forwarded_from: str | msgspec.UnsetType | None = _UNSET
    via_bot: str | None = None
    reply_to_message_id: int | None = None
    reply_to_peer_id: str | int | None = None
    photo: str | None = None
    media_type: str | None = None
    sticker_emoji: str | None = None
    file: str | None = None
    poll: dict[str, Any] | None = None
    todo_list: dict[str, Any] | None = None
    location_information: dict[str, Any] | None = None
    place_name: str | None = None
    contact_information: dict[str, Any] | None = None
    game_title: str | None = None
    paid_stars_amount: int | None = None
    invoice_information: dict[str, Any] | None = None
    giveaway_information: dict[str, Any] | None = None
    reactions: list[_Reaction] | None = None


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

    def topic(self, row: _Row) -> int:
        """Return the topic of a message; 0 for none. What it answers stands before it."""
        answered = row.reply_to_message_id or 0
        topic = answered if answered in self.topics else self.topic_of.get(answered, 0)
        if topic:
            self.topic_of[row.id] = topic
        return topic


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat, empty = _Chat(), EmptyRows(_KNOWN_KEYS)
        for item in JsonRecords(partial(tree.open, name), name, "messages", _Row, needs="type"):
            if isinstance(item, _Row):
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


def _message(row: _Row, chat: _Chat) -> Message:
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
        text=entities[0].text if is_plain else _text(row),
        reply_to_id=str(answered) if answered and not row.reply_to_peer_id else "",
        forwarded_from="" if origin is _UNSET else origin or "somebody",
        mentions=() if is_plain else _mentions(entities),
        attachments=_attachments(row) if row.media_type or row.photo or row.file else (),
    )
    if is_plain and not (chat.topics or row.reactions or row.edited_unixtime):
        return message
    return _completed(message, row, chat)


def _completed(message: Message, row: _Row, chat: _Chat) -> Message:
    """Return the message with what few of them have."""
    changes: dict[str, Any] = {}
    if row.edited_unixtime is not None:
        changes["edited_at"] = row.edited_unixtime
    if row.reactions:
        changes["reactions"] = _reactions(row.reactions)
    if row.rich_message:
        rich = rich_text(row.rich_message)
        changes |= {"text": "\n".join(rich.lines), "quoted_text": "\n".join(rich.quoted)}
        changes["attachments"] = (*message.attachments, *rich.attachments)
    elif any(part.type == "blockquote" for part in row.text_entities):
        changes |= _unquoted(row.text_entities)
    elif not message.text and not message.attachments and row.type == "message":
        changes |= {"text": _words_of_thing(row), "attachments": _things(row)}
    if row.action == "topic_created":
        chat.topics[row.id] = row.title or str(row.id)
    elif chat.topics and (topic := chat.topic(row)):
        changes["conversation_id"] = f"{chat.id}/{topic}"
        changes["conversation_name"] = f"{chat.name} / {chat.topics[topic]}"
        if row.reply_to_message_id == topic:  # so every message of a topic is marked
            changes["reply_to_id"] = ""
    return structs.replace(message, **changes) if changes else message


def _other(row: _Row) -> MessageKind:
    """Return the kind of what is no message."""
    return "unsupported" if row.type != "service" else "call" if row.action in _CALLS else "service"


def _mentions(entities: Sequence[_Entity]) -> tuple[tuple[str, str], ...]:
    return tuple(
        [
            (f"user{part.user_id}" if part.user_id else "", part.text.removeprefix("@"))
            for part in entities
            if part.type in ("mention", "mention_name")
        ]
    )


def _reactions(reactions: Sequence[_Reaction]) -> tuple[tuple[str, str], ...]:
    """Return who reacted with what; an emoji of somebody's own making has no character."""
    return tuple(
        (reaction.emoji, str(person.from_id or "") or person.name or "")
        for reaction in reactions
        if reaction.emoji
        for person in reaction.recent
        if person.from_id or person.name
    )


def _unquoted(entities: Sequence[_Entity]) -> dict[str, str]:
    """Text and quotation apart."""
    quoted = "\n".join(part.text.strip() for part in entities if part.type == "blockquote")
    own = "".join(part.text for part in entities if part.type != "blockquote").strip()
    return {"text": own or quoted, "quoted_text": quoted}


def _words_of_thing(row: _Row) -> str:
    """Return what somebody wrote into a poll or a checklist."""
    if row.poll:
        options = row.poll.get("answers") or ()
        return "\n".join([plain(row.poll.get("question")), *(plain(option.get("text")) for option in options)])
    return plain(row.todo_list.get("title")) if row.todo_list else ""


def _things(row: _Row) -> tuple[str, ...]:
    return next(((thing,) for field, thing in _THINGS.items() if getattr(row, field) is not None), ())


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


SOURCE = Source(
    "Telegram JSON",
    claim_each(_recognises),
    _read,
    is_companion=companions(
        r"(?:^|/)(?:css|js|images|photos|video_files|round_video_messages|voice_messages|stickers|files"
        r"|contacts|lists|profile_pictures|stories)/|export_results\.html$"
    ),
)
