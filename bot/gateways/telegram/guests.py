"""Calls from chats that the bot is not in (guest mode, Bot API 10): each can be answered once, by the number of the call."""

import re
from dataclasses import replace
from typing import Any

from telegram import InlineQueryResultArticle, InputTextMessageContent, LinkPreviewOptions, Message
from telegram.ext import ExtBot

from bot.gateway import COMMANDS, GUEST, Command, IncomingMessage, OutgoingMessage
from bot.gateways.telegram.authors import UserNames, author_of
from bot.gateways.telegram.messages import parse_message
from persona.platforms import Telegram

# what people tell it for themselves; to take something back is about a post of a chat that it is in
_FOR_ANYONE = {command.name for command in COMMANDS if command.right == "anyone"} - {"takeback"}
_COMMAND = re.compile(r"/([a-z]{1,32})(?:@\w+)?", re.IGNORECASE)
TAKEN_BACK = "(taken back)"  # what stands where a post was: a guest can edit its posts, and delete none


class Guests:
    """Those who call the bot into chats that it is not in: people who may also write to it in private."""

    def __init__(self, settings: Telegram, bot: ExtBot[Any], names: UserNames) -> None:
        self._settings = settings
        self._bot = bot
        self._names = names

    def stranger(self, message: Message) -> str:
        """Return the id of a caller whom the settings neither let in nor block, "" for anybody else."""
        author = author_of(message)
        known = (*self._settings.users, *self._settings.owners, *self._settings.block)
        return author.id if self._settings.guest and author and author.id not in known else ""

    def parse(self, message: Message) -> IncomingMessage | None:
        """Return a call in our form; None if it is not to be heard: of strangers, and of chats that are listened to anyway,
        where the same words come as a message."""
        author = author_of(message)
        callers = {*self._settings.users, *self._settings.owners} - set(self._settings.block)
        if not self._settings.guest or not message.guest_query_id or author is None or author.id not in callers:
            return None
        if str(message.chat.id) in self._settings.chats:
            return None
        self._names.learn(message)
        parsed = parse_message(message, self._bot.id, self._bot.username, self._names)
        if parsed is None or parsed.is_bot:
            return None
        return replace(
            parsed,
            channel=f"telegram:{message.chat.id}{GUEST}{self._settings.owners[0]}",
            message_id=message.guest_query_id,
            is_dm=False,  # between others, if in private
            mention=True,
            inside=(f"telegram:{message.chat.id}",),
        )


def command_in(call: IncomingMessage) -> Command | None:
    """Return the command that a call is, of those that people give for themselves; None if it is talk."""
    match = _COMMAND.fullmatch(call.text.strip())
    if not match or match[1].lower() not in _FOR_ANYONE:
        return None
    return Command(call.channel, call.author_id, match[1].lower(), id=call.message_id)


def answer_of(message: OutgoingMessage) -> dict[str, Any]:
    """Return what answerGuestQuery takes for a post."""
    said = InputTextMessageContent(message.text, link_preview_options=LinkPreviewOptions(is_disabled=True))
    return {
        "guest_query_id": message.after,
        "result": InlineQueryResultArticle(message.nonce, message.text[:60], said),
    }


def taken_back(message_id: str) -> dict[str, Any]:
    """Return what editMessageText takes for a post that must not stand."""
    return {"inline_message_id": message_id, "text": TAKEN_BACK}
