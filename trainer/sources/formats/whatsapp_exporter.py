"""WhatsApp's database as KnugiHK/WhatsApp-Chat-Exporter writes it with `--json`: all chats in one file, or a file a chat.

Learned from its data_model.py, android_handler.py and ios_handler.py. By chat id `name`, `type` (android, ios, exported) and
`messages`, by number: `from_me`, `timestamp` (seconds), `key_id`, `sender` (in groups: a contact's name or a number), `data`
(the text, with `<br>` for line breaks; of media a path), `media`, `mime`, `caption`, `sticker`, `meta` (what the exporter
says), `message_type` (the database's number), `reply` (a key_id), `quoted_data`, `reactions` (by name). Older versions lack
some of them. A name is one person where a single chat of the file bears it; you are `Me`. What its `-e` makes of WhatsApp's
own text is one chat, `ExportedChat`, without ids, and of two people: in a group's all others are under one name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind, Reject
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.whatsapp_notices import is_gone
from trainer.sources.parsing.whatsapp_words import attached
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_YOU = "You"  # who reacted, if it is the account's owner
_CALLS = "000000000000000"  # the exporter's own chat of all calls
_EXPORTED = "ExportedChat"  # its chat of a text
_PERSON = "@s.whatsapp.net"
_MEDIA = {  # by the number of the database
    "android": {
        **dict.fromkeys((1, 42), "photo"),
        **dict.fromkeys((2, 82), "voice"),
        **dict.fromkeys((3, 43, 81), "video"),
        **dict.fromkeys((4, 14), "contact"),
        **dict.fromkeys((5, 16), "location"),
        **{9: "file", 13: "gif", 20: "sticker", 66: "poll"},
    },
    "ios": {
        **dict.fromkeys((1, 38), "photo"),
        **dict.fromkeys((2, 39), "video"),
        **{3: "voice", 4: "contact", 5: "location", 8: "file", 11: "gif", 15: "sticker", 46: "poll"},
    },
}
_MISSED = re.compile(r"A (?:video|voice) call was missed")
_LOCATION = "Location shared:"
_MISSING = ("The media is missing", "The media is omitted in the chat")
_VCARD = "This media include the following vCard file(s):"
_DELETED = "Message deleted"
_BINARY = "The message is binary data and its base64 is"
_BREAK = re.compile(r" ?<br>")
_KEYS = (b'"from_me"', b'"key_id"', b'"quoted_data"')
_CHAT_KEYS = (b'"their_avatar_thumb"', b'"media_base"', b'"messages"')


class _Row(msgspec.Struct):
    from_me: bool = False
    timestamp: float | None = None
    key_id: str | int | None = None
    sender: str | None = None
    sender_jid: str | None = None
    data: str | None = None
    media: bool = False
    mime: str | None = None
    caption: str | None = None
    sticker: bool = False
    meta: bool = False
    message_type: int | None = None
    reply: str | int | None = None
    quoted_data: str | None = None
    reactions: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Chat:
    """A chat. ids: of people, by the names that one chat of the file alone bears."""

    id: str
    name: str
    type: str
    ids: dict[str, str]

    @property
    def conversation_type(self) -> ConversationType:
        """Return dm for whatever isn't a group or a channel: status posts and lists are seen by chosen people."""
        if self.id.endswith("@g.us"):
            return "group"
        return "channel" if self.id.endswith("@newsletter") else "dm"

    @property
    def is_text(self) -> bool:
        """Return whether it was read of WhatsApp's own text."""
        return self.id.startswith(_EXPORTED)

    def sender(self, row: _Row) -> tuple[str, str]:
        """Return the id and the name of who sent a message."""
        if row.from_me:
            return "", ME
        if not row.sender and self.conversation_type == "dm":
            return "" if self.is_text else self.id, self.name or self.id.partition("@")[0]
        name = row.sender or ""
        number = f"{name}{_PERSON}" if name.isdecimal() else ""
        return row.sender_jid or self.ids.get(name) or number, name


def _recognises(start: bytes) -> bool:
    is_object = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    return is_object and any(all(key in start for key in keys) for keys in (_KEYS, _CHAT_KEYS))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        ids = _ids(tree, name)
        chat, derived = _Chat("", "", "", {}), DerivedIds("")
        for item in _rows(tree, name):
            if isinstance(item, Opening):
                title = str(item.fields.get("name") or "")
                number = f"{_EXPORTED}/{title}" if item.name == _EXPORTED else item.name
                chat = _Chat(number, title, str(item.fields.get("type") or ""), ids)
                derived = DerivedIds(number)
            else:
                yield item if isinstance(item, Reject) else _message(item, chat, derived)


def _rows(tree: Tree, name: str) -> Iterator[Opening | _Row | Reject]:
    return iter(JsonRecords(partial(tree.open, name), name, "messages", _Row, needs="type", in_object=True))


def _ids(tree: Tree, name: str) -> dict[str, str]:
    """Return the ids of people by name, of those whom no other is called."""
    ids: dict[str, set[str]] = {}
    for item in _rows(tree, name):
        if isinstance(item, Opening) and item.name.endswith(_PERSON) and item.fields.get("name"):
            ids.setdefault(str(item.fields["name"]), set()).add(item.name)
    return {person: min(known) for person, known in ids.items() if len(known) == 1}


def _message(row: _Row, chat: _Chat, derived: DerivedIds) -> Message:
    number, sender = chat.sender(row)
    kind, text, media = _content(row, chat)
    is_numbered = chat.is_text or not row.key_id  # by its line in a text, or not at all
    return Message(
        platform="whatsapp",
        conversation_id=chat.id,
        conversation_type=chat.conversation_type,
        conversation_name=chat.name,
        message_id=derived.next(row.timestamp, sender, text) if is_numbered else str(row.key_id),
        sender_id=number,
        sender_name=sender,
        is_self=row.from_me,
        timestamp=row.timestamp,
        kind=kind,
        text=_BREAK.sub("\n", text).strip(),
        attachments=(media,) if media else (),
        reply_to_id=str(row.reply or ""),
        quoted_text=_BREAK.sub("\n", row.quoted_data or ""),
        reactions=tuple(_reactions(row, chat)),
    )


def _reactions(row: _Row, chat: _Chat) -> Iterator[tuple[str, str]]:
    """Yield each emoji with its author: by id if one person is called so."""
    for name, emoji in (row.reactions or {}).items():
        number = f"{name}{_PERSON}" if name.isdecimal() else chat.ids.get(name, name)
        yield emoji, ME if name == _YOU else number


def _content(row: _Row, chat: _Chat) -> tuple[MessageKind, str, str]:
    """Kind, words and medium of a message."""
    data, media = row.data or "", _medium(row, chat)
    if row.meta and not data.startswith((_LOCATION, *_MISSING, _VCARD)):
        return _said_by_exporter(data, chat), data, ""
    if media and (row.media or row.meta):
        return "message", _caption(row.caption or ""), media
    if media:  # without its file the database's own text is the caption
        return "message", row.caption or data, media
    if chat.is_text:
        return _of_text(data.strip())
    return "message" if data else "unsupported", data, ""


def _of_text(data: str) -> tuple[MessageKind, str, str]:
    """Return what WhatsApp's own text says, of which the exporter knows English placeholders alone."""
    if not data or is_gone(data):
        return "unsupported", data, ""
    words, media = attached(data)
    return "message", words, media[0] if media else ""


def _said_by_exporter(data: str, chat: _Chat) -> MessageKind:
    if data == _DELETED:
        return "deleted"
    if chat.id == _CALLS or _MISSED.fullmatch(data):
        return "call"
    return "unsupported" if data.startswith(_BINARY) else "service"


def _caption(text: str) -> str:
    """Return a caption; a transcribed voice message stands in quotation marks."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _medium(row: _Row, chat: _Chat) -> str:
    """Return what was sent, if it is no text."""
    data = row.data or ""
    by_number = _MEDIA.get(chat.type, {}).get(row.message_type or 0, "")
    if row.sticker or by_number == "sticker":
        return "sticker"
    if data.startswith(_VCARD) or "vcard" in (row.mime or ""):
        return "contact"
    if data.startswith(_LOCATION):
        return "location"
    if by_number or not (row.media or data in _MISSING):
        return by_number
    return medium_of(row.mime or data) if row.mime != "media" else "file"


SOURCE = Source("WhatsApp JSON", claim_each(_recognises), _read, experimental=True)
