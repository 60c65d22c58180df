"""Telegram's messages as ours: who said what where. Pure, but for the library's types."""

import re

from telegram import Message, MessageEntity
from telegram.constants import ChatType

from bot.gateway import IncomingMessage

_COMMAND = re.compile(r"/([\da-z_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


def parse_message(message: Message, own_id: int, own_name: str) -> IncomingMessage | None:
    """Return a Telegram message in our form; None if it is to be ignored: channels, messages without content."""
    author = message.from_user
    if author is None or message.via_bot or message.sender_chat:
        return None
    if not (message.effective_attachment or message.text):
        return None
    text, mention = _text(message, own_id, own_name)
    answered = message.reply_to_message
    return IncomingMessage(
        channel=channel_of(message),
        message_id=str(message.message_id),
        author_id=str(author.id),
        author_name=author.full_name or "",  # None if the account was deleted
        text=text,
        at=message.date.timestamp(),
        is_dm=message.chat.type == ChatType.PRIVATE,
        mention=mention,
        reply=bool(answered and answered.from_user and answered.from_user.id == own_id),
        reply_to=str(answered.message_id) if answered and answered.message_id != message.message_thread_id else "",
        attachments=_attachments(message),
        inside=(f"telegram:{message.chat.id}",) if channel_of(message).count(":") > 1 else (),
        is_bot=author.is_bot,
    )


def channel_of(message: Message) -> str:
    """Return our name of a message's chat and topic."""
    topic = f":{message.message_thread_id}" if message.is_topic_message and message.message_thread_id else ""
    return f"telegram:{message.chat.id}{topic}"


def command_of(message: Message, own_name: str) -> tuple[str, str] | None:
    """Return the name and argument of a command; None for other text and other bots' commands."""
    match = _COMMAND.fullmatch((message.text or "").strip())
    if not match or (match[2] and match[2].casefold() != own_name.casefold()):
        return None
    return match[1].lower(), (match[3] or "").strip()


def _text(message: Message, own_id: int, own_name: str) -> tuple[str, bool]:
    """Return the text without our own mention at its start, and whether we were mentioned. User names know no case."""
    entities = message.parse_entities() if message.text else message.parse_caption_entities()
    text = message.text or message.caption or ""
    mention = False
    for entity, said in entities.items():
        by_name = entity.type == MessageEntity.MENTION and said.lstrip("@").casefold() == own_name.casefold()
        by_id = entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == own_id
        if by_name or by_id:
            mention = True
            if entity.offset == 0:
                text = text.removeprefix(said).lstrip(" ,:")
    return text, mention


def _attachments(message: Message) -> tuple[str, ...]:
    if message.sticker:
        return (f"sticker {message.sticker.emoji}" if message.sticker.emoji else "sticker",)
    types = {
        "photo": message.photo,
        "voice": message.voice,
        "video": message.video or message.video_note,
        "gif": message.animation,
        "audio": message.audio,
        "file": message.document,
    }
    return tuple(name for name, value in types.items() if value)[:1]
