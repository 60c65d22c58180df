"""WhatsApp's database as KnugiHK/WhatsApp-Chat-Exporter writes it with `--telegram`: a chat a file, laid out as Telegram's.

Learned from its utility.py (telegram_json_format). `from` and `from_id` (`user` and a number or a name; you are `Me`,
`user00000`), `date_unixtime` as a number, `reply_to_message_id`, `text` (with `<br>`; of a medium its path). What the
exporter itself says stands among the texts; captions, reactions and the kinds of media are lost, and so are empty rows.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.telegram_row import TelegramRow
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_SELF = "user00000"
_NAMED_ALIKE = re.compile(rb'"from"\s*:\s*"([^"]*)"\s*,\s*"from_id"\s*:\s*"user(?:\1|00000)"')
_NUMERIC_TIME = re.compile(rb'"date_unixtime"\s*:\s*-?\d')
_TYPES: dict[str, tuple[ConversationType, str]] = {
    "personal_chat": ("dm", "@s.whatsapp.net"),
    "private_group": ("group", "@g.us"),
}  # others are lists, calls and status posts, seen by chosen people
_BREAK = re.compile(r" ?<br>")
_PATH = re.compile(r"(?:[^\n<>/]{1,120}/)*(?:Media|separated|vCards|Message)/[^\n<>]{1,300}\.\w{2,5}")
_SAID: tuple[tuple[MessageKind, re.Pattern[str]], ...] = (
    ("deleted", re.compile("Message deleted")),
    ("unsupported", re.compile("The message is binary data and its base64 is .*", re.DOTALL)),
    ("call", re.compile(r"A (?:video|voice) call was missed")),
    (
        "service",
        re.compile(
            r".{1,80} (?:changed the group name to \".*\"|was added to the group|left the group|changed the group icon"
            r"|created a broadcast channel|changed their number to \d+|created a group with name: \".*\""
            r"|(?:added|removed) someone|changed the group description to:<br>.*)"
            r"|You were (?:removed|added into the group by .*)|The group name changed to .*"
            r"|The security code (?:between you and .*|in this chat) changed|This chat is now end-to-end encrypted"
            r"|Someone joined this group by using a invite link|The contact(?: is an official business account"
            r"|'s account type changed from business to standard)|Messgae timer was enabled/updated/disabled"
            r"|You blocked/unblocked this contact|(?:.{1,80})?WhatsApp Internal Error Occurred: .*",
            re.DOTALL,
        ),
    ),
)
_MEDIA = (
    (re.compile(r"Location shared: .*"), "location"),
    (re.compile(r"This media include the following vCard file\(s\):.*", re.DOTALL), "contact"),
    (re.compile(r"The media is missing"), "file"),
)


class _Chat(NamedTuple):
    id: str
    number: str
    name: str
    type: ConversationType
    is_calls: bool


def _recognises(start: bytes) -> bool:
    return b'"text_entities"' in start and bool(_NUMERIC_TIME.search(start) and _NAMED_ALIKE.search(start))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _Chat("", "", "", "dm", False)
        for item in JsonRecords(partial(tree.open, name), name, "messages", TelegramRow, needs="type"):
            if isinstance(item, Opening):
                chat = _chat(item.fields)
            else:
                yield _message(item, chat) if isinstance(item, TelegramRow) else item


def _chat(fields: dict[str, Any]) -> _Chat:
    number, chat_type = str(fields.get("id") or ""), str(fields.get("type") or "")
    name = str(fields.get("name") or "")
    kind, suffix = _TYPES.get(chat_type, ("dm", ""))
    jid = f"{number}{suffix}" if suffix else name
    return _Chat(jid, number, name, kind, chat_type == "calls")


def _message(row: TelegramRow, chat: _Chat) -> Message:
    sender = str(row.from_id or "").removeprefix("user")
    name = row.sender or ""
    is_self = row.from_id == _SELF and name == ME
    if name == chat.number and chat.type == "group":  # the exporter's word for nobody
        sender = name = ""
    elif name == chat.number:
        name = chat.name or name
    kind, text, media = _content(row.text if isinstance(row.text, str) else "", chat)
    return Message(
        platform="whatsapp",
        conversation_id=chat.id,
        conversation_type=chat.type,
        conversation_name=chat.name,
        message_id=str(row.id),
        sender_id=f"{sender}@s.whatsapp.net" if sender.isdecimal() and not is_self else "",
        sender_name=name,
        is_self=is_self,
        timestamp=row.date_unixtime,
        kind=kind,
        text=_BREAK.sub("\n", text).strip(),
        attachments=(media,) if media else (),
        reply_to_id=str(row.reply_to_message_id or ""),
    )


def _content(text: str, chat: _Chat) -> tuple[MessageKind, str, str]:
    """Kind, words and medium of a text, which may be the exporter's."""
    if chat.is_calls:
        return "call", text, ""
    for kind, said in _SAID:
        if said.fullmatch(text):
            return kind, text, ""
    medium = next((medium for said, medium in _MEDIA if said.fullmatch(text)), "")
    if not medium and _PATH.fullmatch(text):
        medium = "sticker" if "Sticker" in text else medium_of(text)
    return "message", "" if medium else text, medium


SOURCE = Source("WhatsApp JSON as Telegram's", claim_each(_recognises), _read, experimental=True)
