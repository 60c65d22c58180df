"""From Telegram's raw updates to committed messages, commands and votes; one that can't be parsed is put away."""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from telegram import CallbackQuery, Message, MessageReactionUpdated, Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.gateway import Command, Decision, IncomingMessage, Intake, Right, Vote
from bot.gateways.telegram.authors import UserNames, author_of, is_anonymous_admin, is_bot
from bot.gateways.telegram.business import OwnersChats
from bot.gateways.telegram.chats import Chats
from bot.gateways.telegram.guests import Guests, command_in
from bot.gateways.telegram.members import raw_member
from bot.gateways.telegram.messages import channel_of, command_of, parse_message
from bot.gateways.telegram.posts import DROP, SEND, WORDS, Poster
from bot.gateways.telegram.reactions import Reactions
from persona.events import Event
from persona.platforms import Telegram

log = logging.getLogger("alterego.telegram")

KINDS = ["message", "edited_message", "callback_query", "message_reaction"]  # of updates that are asked for
BUSINESS_KINDS = ["business_connection", "business_message", "edited_business_message", "deleted_business_messages"]
GUEST_KINDS = ["guest_message"]


class UpdateCommitter:
    """Commits the updates of one bot account."""

    def __init__(
        self,
        settings: Telegram,
        bot: ExtBot[Any],
        chats: Chats,
        poster: Poster,
        reactions: Reactions,
        intake: Intake,
    ) -> None:
        self._settings = settings
        self._bot = bot
        self._chats = chats
        self._poster = poster
        self._reactions = reactions
        self._names = UserNames()
        self._intake = intake
        self._owners_chats = OwnersChats(settings, bot, chats, self._names, intake)
        self._guests = Guests(settings, bot, self._names)

    async def commit(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Commit updates in their order, neighbouring messages in one transaction."""
        messages: list[IncomingMessage] = []
        for update in updates:
            try:
                parsed = Update.de_json(dict(update), self._bot)
                if parsed.message:
                    self._names.learn(parsed.message)
                message = self._said(parsed.message) if parsed.message else None
                edited = self._said(parsed.edited_message) if parsed.edited_message else None
                if parsed.guest_message:
                    message = self._guests.parse(parsed.guest_message)
            except (
                Exception
            ) as error:  # whatever the library makes of an update it doesn't know: it must not be met again
                await self._intake.quarantine(json.dumps(update), type(error).__name__)
                continue
            if parsed.business_message:
                message = await self._owners_chats.said(parsed.business_message)
            command = command_in(message) if message and parsed.guest_message else None
            if message and not command and not self._decides(parsed.message):
                messages.append(message)
                continue
            if messages:
                await self._intake.received(*messages)
                messages = []
            if parsed.edited_business_message:
                edited = await self._owners_chats.said(parsed.edited_business_message)
            if edited:
                await self._intake.edited(edited)
            elif parsed.message_reaction:
                await self._reacted(parsed.message_reaction)
            elif message and parsed.message:
                await self._correct(parsed.message, message)
            elif parsed.business_connection:
                await self._owners_chats.changed(parsed.business_connection)
            elif gone := parsed.deleted_business_messages:
                channel = self._owners_chats.channel_of(gone.business_connection_id, gone.chat.id)
                await self._intake.deleted(channel, [str(number) for number in gone.message_ids])
            elif parsed.callback_query:
                await self._rated(parsed.callback_query)
            elif parsed.message:
                await self._other(parsed.message)
            elif command:
                self._poster.answer(command.channel, await self._intake.commanded(command), command.id)
            elif parsed.guest_message and (number := self._guests.stranger(parsed.guest_message)):
                await self._knocked("user", number)
        if messages:
            await self._intake.received(*messages)

    def _said(self, message: Message) -> IncomingMessage | None:
        """Return the message as ours; None for a command, or if its chat isn't let in."""
        if not self._is_welcome(message) or command_of(message, self._bot.username):
            return None
        self._poster.emoji.learn(message)
        return parse_message(message, self._bot.id, self._bot.username, self._names)

    async def _reacted(self, update: MessageReactionUpdated) -> None:
        """Reactions, where the bot is told of them: in private, and in groups where it is an admin."""
        if self._chats.is_welcome(update.chat):  # people who are blocked are left out where reactions are kept
            for reaction in await self._reactions.parse(update):
                await self._intake.reacted(reaction)

    def _decides(self, message: Message | None) -> bool:
        """Whether a message may be an owner's words instead of a draft: a reply to something of ours, in private."""
        drafts = self._settings.business or self._settings.guest
        if not (drafts and message and message.from_user and message.reply_to_message):
            return False
        is_owner = str(message.from_user.id) in self._settings.owners
        replied = message.reply_to_message.from_user
        return is_owner and message.chat.type == ChatType.PRIVATE and bool(replied and replied.id == self._bot.id)

    async def _correct(self, message: Message, parsed: IncomingMessage) -> None:
        """An owner's words instead of a draft; if they answer something else, they are a message like any other."""
        assert message.reply_to_message
        number = str(message.reply_to_message.message_id)
        nonce = _nonce_below(message.reply_to_message)
        told = await self._intake.decided(Decision(parsed.channel, number, True, message.text or "", nonce))
        if told:
            self._poster.answer(parsed.channel, told, message.message_id)
        else:
            await self._intake.received(parsed)

    async def _decided(self, query: CallbackQuery) -> str:
        """A button below a draft. Returns what its owner is told."""
        says, _, nonce = (query.data or "").partition(" ")
        if says == WORDS:
            return "Reply to the draft with your own words: they are sent instead."
        if not query.message or str(query.from_user.id) not in self._settings.owners:
            return ""
        channel, number = f"telegram:{query.message.chat.id}", str(query.message.message_id)
        told = await self._intake.decided(Decision(channel, number, says == SEND, nonce=nonce))
        return told or "I don't know that draft; try again in a moment."

    def _is_welcome(self, message: Message) -> bool:
        author = author_of(message)
        if author and (author.id in self._settings.block or (is_bot(message) and author.id not in self._settings.bots)):
            return False
        return self._chats.is_welcome(message.chat)

    async def _other(self, message: Message) -> None:
        """A command, a group's new id, or somebody who isn't let in."""
        if message.migrate_to_chat_id:
            await self._move(str(message.chat.id), str(message.migrate_to_chat_id))
        elif not self._chats.is_welcome(message.chat):
            await self._knocked("user" if message.chat.type == ChatType.PRIVATE else "chat", str(message.chat.id))
        elif command := command_of(message, self._bot.username):
            await self._obey(message, *command)

    async def _knocked(self, where: str, number: str) -> None:
        """Note a person or chat that isn't let in; three hundred messages of a stranger are one line."""
        if self._chats.knocks_first(f"{where}:{number}"):
            log.info(Event("access request", **{where: number}, hint="name it in persona.toml to let it in"))
            await self._intake.access_requested(f"{where}:{number}")

    async def _move(self, old: str, new: str) -> None:
        named = self._chats.move(old, new)
        await self._intake.moved(f"telegram:{old}", f"telegram:{new}")
        if named:
            log.warning(Event("chat has a new id", old=old, new=new, hint="name it in persona.toml instead"))

    async def _obey(self, message: Message, name: str, argument: str) -> None:
        """Obey a command and answer in the same chat."""
        author = author_of(message)
        if author is None or is_bot(message):
            return
        is_dm = message.chat.type == ChatType.PRIVATE
        right = await self._right(message, author.id)
        given = f"{message.chat.id}/{message.message_id}"
        channel = channel_of(message)
        inside = (f"telegram:{message.chat.id}",) if channel.count(":") > 1 else ()
        command = Command(channel, author.id, name, argument, right, is_dm, given, inside, _replied_to(message))
        answer = await self._intake.commanded(command)
        self._poster.answer(channel, answer, message.message_id)

    async def _right(self, message: Message, author: str) -> Right:
        """Return the asker's highest right: owners by [telegram] owners, moderators by being the group's admins."""
        if author in self._settings.owners:
            return "owner"
        if message.sender_chat:
            return "moderator" if is_anonymous_admin(message) else "anyone"
        if message.chat.type == ChatType.PRIVATE:
            return "anyone"
        try:
            member = await raw_member(self._bot, message.chat.id, int(author))
        except TelegramError:
            return "anyone"
        return "moderator" if member.get("status") in ("administrator", "creator") else "anyone"

    async def _rated(self, query: CallbackQuery) -> None:
        """A button below a post of ours."""
        message = query.message
        if message and query.data in ("1", "-1"):
            place = channel_of(message) if isinstance(message, Message) else f"telegram:{message.chat.id}"
            await self._intake.rated(Vote(place, str(message.message_id), str(query.from_user.id), int(query.data)))
        decides = (query.data or "").partition(" ")[0] in (SEND, DROP, WORDS)
        told = await self._decided(query) if decides else ""
        with suppress(TelegramError):  # without it the button spins for a while
            await query.answer(told or None)


def _replied_to(message: Message) -> str:
    """Return the id of the message that a command answers, "" for none: what is written in a topic answers its opening."""
    target = message.reply_to_message
    opens_topic = target and message.is_topic_message and target.message_id == message.message_thread_id
    return str(target.message_id) if target and not opens_topic else ""


def _nonce_below(draft: Message) -> str:
    """Return what the buttons below a draft know it by; "" if there are none."""
    rows = draft.reply_markup.inline_keyboard if draft.reply_markup else ()
    return next((str(button.callback_data).partition(" ")[2] for row in rows for button in row), "")
