"""Telegram's messages as ours: who said what where, in answer to what. Pure, but for the library's types."""

import re

from telegram import Message, MessageEntity
from telegram.constants import ChatType

from bot.gateway import COMMANDS, Author, IncomingMessage, QuotedMessage
from bot.gateways.telegram.authors import UserNames, author_of, is_bot, origin_author
from bot.gateways.telegram.contents import attachments_of, captioned_of, text_of, with_names

_COMMAND = re.compile(r"/([\da-z_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
_OURS = frozenset(command.name for command in COMMANDS)


def parse_message(message: Message, own_id: int, own_name: str, names: UserNames) -> IncomingMessage | None:
    """Return a Telegram message in our form; None if it is to be ignored: messages without content. names: of people who
    go by a user name."""
    author = author_of(message)
    if author is None or message.via_bot:
        return None
    attachments, captioned = attachments_of(message), captioned_of(message)
    if not (attachments or captioned or message.text):
        return None
    mention, start = _mentioned(message, own_id, own_name)
    text = text_of(message, names)
    quoted = _quoted(message, names)
    origin = _origin(message)
    return IncomingMessage(
        channel=channel_of(message),
        message_id=str(message.message_id),
        author_id=author.id,
        author_name=author.name,
        text=text[len(start) :].lstrip(" ,:") if start and text.startswith(start) else text,
        at=message.date.timestamp(),
        is_dm=message.chat.type == ChatType.PRIVATE,
        mention=mention and not origin,
        reply=quoted is not None and quoted.author.id == str(own_id) and not quoted.forwarder_id,
        reply_to=quoted.message_id if quoted else "",
        attachments=attachments,
        inside=(f"telegram:{message.chat.id}",) if channel_of(message).count(":") > 1 else (),
        is_bot=is_bot(message),
        captioned=captioned,
        quoted=quoted,
        forwarded_from=origin,
        sticker_id=message.sticker.file_id if message.sticker and message.sticker.emoji else "",
    )


def channel_of(message: Message) -> str:
    """Return the name of a message's channel: chat and topic."""
    topic = f":{message.message_thread_id}" if message.is_topic_message and message.message_thread_id else ""
    return f"telegram:{message.chat.id}{topic}"


def command_of(message: Message, own_name: str) -> tuple[str, str] | None:
    """Return the name and argument of a command that is meant for us; None for any other text. In a group those are ours
    alone, and whatever is addressed to us: other bots hear the rest. A forwarded command is none."""
    match = _COMMAND.fullmatch((message.text or "").strip())
    if not match or message.forward_origin:
        return None
    name, addressee = match[1].lower(), match[2]
    is_private = message.chat.type == ChatType.PRIVATE
    is_ours = addressee.casefold() == own_name.casefold() if addressee else is_private or name in _OURS
    return (name, (match[3] or "").strip()) if is_ours else None


def _mentioned(message: Message, own_id: int, own_name: str) -> tuple[bool, str]:
    """Whether we are mentioned, and how the text calls us at its start, "" if it doesn't. User names know no case."""
    entities = message.parse_entities() if message.text else message.parse_caption_entities()
    is_mentioned, start = False, ""
    for entity, said in entities.items():
        by_name = entity.type == MessageEntity.MENTION and said.lstrip("@").casefold() == own_name.casefold()
        by_id = entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == own_id
        if by_name or by_id:
            is_mentioned = True
            if entity.offset == 0:
                start = f"@{entity.user.full_name}" if by_id and entity.user else said
    return is_mentioned, start


def _origin(message: Message) -> Author | None:
    """Return who said first what is passed on; None if the author says it, as a channel does whose posts come by themselves."""
    if message.forward_origin is None or message.is_automatic_forward:
        return None
    return origin_author(message.forward_origin)


def _quoted(message: Message, names: UserNames) -> QuotedMessage | None:
    """What a message answers, in this chat or elsewhere; of a quotation the words that it quotes; of what was passed on who
    said it first."""
    part = with_names(message.quote.text, message.quote.entities or (), names) if message.quote else ""
    answered, elsewhere = message.reply_to_message, message.external_reply
    if answered and not answered.forum_topic_created:  # to which everything in a topic is an answer
        text = part or text_of(answered, names)
        origin, author = _origin(answered), author_of(answered) or Author()
        whole = ((), ()) if part else (attachments_of(answered), captioned_of(answered))
        forwarder_id = author.id if origin else ""
        return QuotedMessage(str(answered.message_id), origin or author, text, *whole, bool(part), forwarder_id)
    if elsewhere:
        whole = ((), ()) if part else (attachments_of(elsewhere), captioned_of(elsewhere))
        return QuotedMessage("", origin_author(elsewhere.origin), part, *whole, is_part=bool(part))
    return None
