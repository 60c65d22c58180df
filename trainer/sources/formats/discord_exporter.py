"""DiscordChatExporter's JSON: one channel a file.

Learned from DiscordChatExporter's JsonMessageWriter.cs (2.30 and later): ids are strings, `type` tells ordinary messages
from joins and pins, a reply names its parent in `reference` (older versions call it Default all the same), a forward carries
`forwardedMessage`. With markdown switched off, mentions and emoji are ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.discord_markup import DiscordNames, mentioned_ids, without_markup
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.parsing.unread import EmptyRows
from trainer.sources.source import Reading, Source, claim_each, companions

_ORDINARY = {"Default", "Reply", "0", "19"}
_KNOWN_KEYS = frozenset(
    "id type timestamp timestampEdited callEndedTimestamp isPinned content author attachments embeds stickers reactions"
    " mentions reference forwardedMessage interaction inlineEmojis".split()
)


class _Role(msgspec.Struct, gc=False):
    id: str = ""
    name: str = ""


class _Author(msgspec.Struct, gc=False):
    id: str = ""
    name: str = ""
    nickname: str | None = None
    isBot: bool = False  # noqa: N815 (the exporter's own spelling)
    roles: list[_Role] | None = None

    @property
    def shown(self) -> str:
        """How people see them."""
        return self.nickname or self.name


class _Emoji(msgspec.Struct, gc=False):
    id: str | None = None
    name: str = ""


class _Reaction(msgspec.Struct, gc=False):
    emoji: _Emoji
    users: list[_Author] | None = None


class _Reference(msgspec.Struct, gc=False):
    type: str | None = None
    messageId: str | None = None  # noqa: N815
    channelId: str | None = None  # noqa: N815


class _Attachment(msgspec.Struct, gc=False):
    fileName: str = ""  # noqa: N815


class _Sticker(msgspec.Struct, gc=False):
    name: str = ""


class _Row(msgspec.Struct, gc=False):
    id: str
    author: _Author
    type: str = "Default"
    timestamp: str = ""
    timestampEdited: str | None = None  # noqa: N815
    content: str = ""
    attachments: list[_Attachment] = []
    stickers: list[_Sticker] = []
    mentions: list[_Author] = []
    reactions: list[_Reaction] | None = None
    reference: _Reference | None = None
    forwardedMessage: dict[str, Any] | None = None  # noqa: N815


def _recognises(start: bytes) -> bool:
    return b'"guild"' in start and b'"channel"' in start and b'"messages"' in start


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        channel, empty = _Channel(), EmptyRows(_KNOWN_KEYS)
        for item in JsonRecords(partial(tree.open, name), name, "messages", _Row, needs="channel"):
            if isinstance(item, Opening):
                channel = _channel(item.fields.get("channel"))
            elif isinstance(item, _Row):
                message = _message(item, channel)
                if not (message.text or message.attachments) and message.kind == "message":
                    empty.note(message.message_id)
                yield message
            else:
                yield item
        yield from empty.rejects(JsonRecords(partial(tree.open, name), name, "messages", dict[str, Any]), name)


@dataclass(frozen=True, slots=True)
class _Channel:
    """What the messages of a file have in common."""

    id: str = ""
    type: ConversationType = "group"
    is_group_dm: bool = False
    name: str = ""
    names: DiscordNames = field(default_factory=DiscordNames)


def _channel(fields: Any) -> _Channel:
    about = fields if isinstance(fields, dict) else {}
    number, name, channel_type = (str(about.get(key) or "") for key in ("id", "name", "type"))
    names = DiscordNames(channels={number: name} if name else {})
    chat_type: ConversationType = "dm" if channel_type == "DirectTextChat" else "group"
    return _Channel(number, chat_type, channel_type == "DirectGroupTextChat", name, names)


def _message(row: _Row, channel: _Channel) -> Message:
    author, names = row.author, channel.names
    shown = author.nickname or author.name
    if author.id not in names.people:
        names.note_person(author.id, shown)
    if author.roles:
        names.roles.update((role.id, role.name) for role in author.roles if role.name)
    message = Message(  # sixteen arguments: with one more, msgspec takes twice as long
        platform="discord",
        conversation_id=channel.id,
        conversation_type=channel.type,
        conversation_name=channel.name,
        message_id=row.id,
        sender_id=author.id,
        sender_name=shown,
        sender_handle=author.name,
        is_bot=author.isBot,
        is_group_dm=channel.is_group_dm,
        timestamp=iso_timestamp(row.timestamp),
        kind="message" if row.type in _ORDINARY else "service",
        text=row.content,
        attachments=_attachments(row) if row.attachments or row.stickers else (),
        reactions=_reactions(row.reactions) if row.reactions else (),
    )
    if row.mentions or row.reference or row.forwardedMessage or row.timestampEdited or "<" in row.content:
        return _completed(message, row, channel)
    return message


def _completed(message: Message, row: _Row, channel: _Channel) -> Message:
    """Return the message with what few of them have."""
    names = channel.names
    here = {person.id: person.shown for person in row.mentions}
    forwarded = row.forwardedMessage is not None or bool(row.reference and row.reference.type == "Forward")
    text = row.content or (str(row.forwardedMessage.get("content") or "") if row.forwardedMessage else "")
    others = ((number, names.people.get(number, "")) for number in mentioned_ids(text) if number not in here)
    return structs.replace(
        message,
        edited_at=iso_timestamp(row.timestampEdited) if row.timestampEdited else None,
        text=without_markup(text, names, here),
        reply_to_id=_parent(row, channel) if row.reference and not forwarded else "",
        forwarded_from="somebody" if forwarded else "",
        mentions=(*here.items(), *others),
    )


def _attachments(row: _Row) -> tuple[str, ...]:
    files = (medium_of(attachment.fileName) for attachment in row.attachments)
    return (*files, *(f"sticker {sticker.name}".strip() for sticker in row.stickers))


def _parent(row: _Row, channel: _Channel) -> str:
    """Return what a message of this channel answers."""
    reference = row.reference
    if reference is None or row.type not in _ORDINARY:
        return ""
    return reference.messageId or "" if reference.channelId in (None, "", channel.id) else ""


def _reactions(reactions: Sequence[_Reaction]) -> tuple[tuple[str, ...], ...]:
    """Return who reacted with what, as far as the exporter asked for their names."""
    return tuple(
        (f":{reaction.emoji.name}:" if reaction.emoji.id else reaction.emoji.name, person.id, person.shown)
        for reaction in reactions
        for person in reaction.users or ()
        if person.id or person.shown
    )


SOURCE = Source("DiscordChatExporter JSON", claim_each(_recognises), _read, is_companion=companions(r"_Files/"))
