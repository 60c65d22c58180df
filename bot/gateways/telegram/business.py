"""Owners' own chats: Telegram connects a bot to an account, and shows it what is written there (Bot API, business_message)."""

from dataclasses import replace
from typing import Any

from telegram import BusinessConnection, Message
from telegram.ext import ExtBot

from bot.gateway import IncomingMessage, Intake
from bot.gateways.telegram.authors import UserNames
from bot.gateways.telegram.chats import Chats
from bot.gateways.telegram.messages import parse_message
from persona.platforms import Telegram


class OwnersChats:
    """The chats of the owners that [telegram] names; those of anybody else who connects the bot are not listened to."""

    def __init__(self, settings: Telegram, bot: ExtBot[Any], chats: Chats, names: UserNames, intake: Intake) -> None:
        self._settings = settings
        self._bot = bot
        self._chats = chats
        self._names = names
        self._intake = intake
        self._owners: dict[str, str] = {}  # connections, and whose they are; "" for strangers and disabled ones

    async def changed(self, connection: BusinessConnection) -> None:
        """A connection was made, changed or ended."""
        owner = str(connection.user.id)
        allowed = connection.rights is not None and bool(connection.rights.can_reply)
        is_open = self._settings.business and connection.is_enabled and allowed and owner in self._settings.owners
        self._owners[connection.id] = owner if is_open else ""
        if is_open:
            self._chats.connections[owner] = connection.id
            await self._intake.connected_to(owner, connection.id)

    async def said(self, message: Message) -> IncomingMessage | None:
        """Return a message of an owner's chat in our form; None if it is ours, or not to be heard. Raises TelegramError."""
        connection, author = message.business_connection_id or "", message.from_user
        if connection not in self._owners:
            await self.changed(await self._bot.get_business_connection(connection))
        owner = self._owners[connection]
        if not owner or message.sender_business_bot or author is None or str(author.id) in self._settings.block:
            return None
        self._names.learn(message)
        parsed = parse_message(message, self._bot.id, self._bot.username, self._names)
        if parsed is None or parsed.is_bot:
            return None
        author_id = str(self._bot.id) if parsed.author_id == owner else parsed.author_id  # the owner is the persona
        channel = self.channel_of(connection, message.chat.id)
        return replace(parsed, channel=channel, author_id=author_id, is_dm=True, mention=False, reply=False, inside=())

    def channel_of(self, connection: str, chat: int) -> str:
        """Return our name of an owner's chat."""
        return f"telegram:{chat}@{self._owners.get(connection, '')}"
