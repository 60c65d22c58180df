"""Telegram through python-telegram-bot, which is imported nowhere else. Updates are fetched raw: the library would
acknowledge them before they are committed."""

import asyncio
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
from telegram import (
    BotCommand,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
    Update,
)
from telegram.constants import ChatType
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import ExtBot
from telegram.warnings import PTBUserWarning

from bot.gateway import (
    COMMANDS,
    Command,
    Finding,
    IncomingMessage,
    Intake,
    NotSent,
    OutgoingMessage,
    ResultUnknown,
    Right,
    Undeliverable,
    Vote,
)
from bot.gateways.telegram import LIMITS
from bot.gateways.telegram.members import raw_member
from bot.gateways.telegram.messages import channel_of, command_of, parse_message
from bot.gateways.telegram.pacing import Pacing
from bot.typing_indicator import repeated
from persona.errors import PermanentError
from persona.events import Event
from persona.platforms import Telegram

log = logging.getLogger("alterego.telegram")

POLL_SECONDS = 30  # how long Telegram holds an empty answer back
POLL_EVERY = 1.0  # seconds between two calls that brought nothing
KINDS = ["message", "edited_message", "callback_query"]  # of updates that are asked for
TYPING_EVERY = 4.5  # seconds: the indicator lasts five
_REFUSED = "Telegram refused the token; put the token that @BotFather gave into TELEGRAM_TOKEN"
_VOTES = InlineKeyboardMarkup(
    [[InlineKeyboardButton("👍", callback_data="1"), InlineKeyboardButton("👎", callback_data="-1")]]
)


class TelegramGateway:
    """One bot account on Telegram."""

    platform = "telegram"
    limits = LIMITS

    def __init__(self, settings: Telegram, token: str) -> None:
        self._settings = settings
        logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)  # its errors quote what it could not read
        # the library's own methods parse all of an answer or nothing
        warnings.filterwarnings("ignore", r"Please use 'Bot\.(getUpdates|sendMessage|getChatMember)", PTBUserWarning)
        try:
            # without the library's rate limiter, which waits inside a send: a row would be `sending` that was never sent
            self._bot: ExtBot[Any] = ExtBot(token, base_url=settings.api_base)
        except InvalidToken:
            raise PermanentError(_REFUSED) from None
        self._pacing = Pacing()
        self._moved: dict[str, str] = {}  # a group that became a supergroup has another id

    async def run(self, intake: Intake) -> None:
        """Fetch and commit updates until the connection fails. The bot stays open over a failure, since posts may be
        under way; it is closed when the platform is left for good."""
        try:
            await self._bot.initialize()
            me = await self._bot.get_me()
        except InvalidToken:
            await self._bot.shutdown()
            raise PermanentError(_REFUSED) from None
        except TelegramError as error:  # its text may hold the token
            raise ConnectionError(type(error).__name__) from None
        try:
            await intake.opened(f"telegram:{me.id}", me.username or "")
            self._moved |= {_chat(old): _chat(new) for old, new in (await intake.moves()).items()}
            with suppress(BadRequest, RetryAfter):  # the old ones stay on offer
                await self._bot.set_my_commands([BotCommand(command.name, command.summary) for command in COMMANDS])
            await self._fetch(intake)
        except Conflict:
            await self._end_conflict()
            raise ConnectionError("Conflict") from None
        except TelegramError as error:  # whether the token is at fault is seen when it is next shown
            raise ConnectionError(type(error).__name__) from None
        except asyncio.CancelledError:
            await self._bot.shutdown()
            raise

    async def _end_conflict(self) -> None:
        """Say who else takes our updates; a webhook that somebody left behind is deleted, its updates are kept."""
        with suppress(TelegramError):
            if url := (await self._bot.get_webhook_info()).url:
                await self._bot.delete_webhook(drop_pending_updates=False)
                hint = "this bot's updates went there; now they come here"
                log.warning(Event("webhook deleted", host=urlsplit(url).hostname, hint=hint))
                return
        log.error(Event("another process fetches this bot's updates", hint="stop it, or use another token"))

    async def _updates(self, offset: int) -> list[dict[str, Any]]:
        """The raw updates from `offset` on."""
        wish = {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": KINDS}
        return list(await self._bot.do_api_request("getUpdates", wish, read_timeout=POLL_SECONDS + 10))

    async def _fetch(self, intake: Intake) -> None:
        """An update is committed before the next call confirms it; the server keeps what is unconfirmed, so no offset
        is stored."""
        offset, loop = 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            updates = await self._updates(offset)
            await self._commit(updates, intake)
            offset = max([offset, *(int(update["update_id"]) + 1 for update in updates)])
            if not updates:  # a server that doesn't hold long polls would be asked without a pause
                await asyncio.sleep(max(0.0, began + POLL_EVERY - loop.time()))

    async def _commit(self, updates: Sequence[Mapping[str, Any]], intake: Intake) -> None:
        """Commit updates in their order, neighbouring messages in one transaction."""
        messages: list[IncomingMessage] = []
        for update in updates:
            try:
                parsed = Update.de_json(dict(update), self._bot)
                message = self._said(parsed.message) if parsed.message else None
                edited = self._said(parsed.edited_message) if parsed.edited_message else None
            except (
                Exception
            ) as error:  # whatever the library makes of an update it doesn't know: it must not be met again
                await intake.quarantine(json.dumps(update), type(error).__name__)
                continue
            if message:
                messages.append(message)
                continue
            if messages:
                await intake.received(*messages)
                messages = []
            if edited:
                await intake.edited(edited)
            elif parsed.callback_query:
                await self._rated(parsed.callback_query, intake)
            elif parsed.message:
                await self._other(parsed.message, intake)
        if messages:
            await intake.received(*messages)

    def _said(self, message: Message) -> IncomingMessage | None:
        """Return the message as ours; None for a command, or if its chat isn't let in."""
        if not self._is_welcome(message) or command_of(message, self._bot.username):
            return None
        return parse_message(message, self._bot.id, self._bot.username)

    def _is_welcome(self, message: Message) -> bool:
        chat = message.chat
        if chat.type == ChatType.PRIVATE:
            return str(chat.id) in (*self._settings.users, *self._settings.owners)
        return str(chat.id) in {self._moved.get(chat_id, chat_id) for chat_id in self._settings.chats}

    async def _other(self, message: Message, intake: Intake) -> None:
        """A command, a group's new id, or somebody who isn't let in."""
        if message.migrate_to_chat_id:
            await self._move(str(message.chat.id), str(message.migrate_to_chat_id), intake)
        elif not self._is_welcome(message):
            where, number = "user" if message.chat.type == ChatType.PRIVATE else "chat", message.chat.id
            log.info(Event("access request", **{where: number}, hint="name it in persona.toml to let it in"))
            await intake.access_requested(f"{where}:{number}")
        elif command := command_of(message, self._bot.username):
            await self._obey(message, *command, intake)

    async def _move(self, old: str, new: str, intake: Intake) -> None:
        self._moved[old] = new
        await intake.moved(f"telegram:{old}", f"telegram:{new}")
        if old in self._settings.chats:
            log.warning(Event("chat has a new id", old=old, new=new, hint="write it into [telegram] chats"))

    async def _obey(self, message: Message, name: str, argument: str, intake: Intake) -> None:
        """Obey a command and answer in the same chat; an answer that fails is dropped."""
        author = message.from_user
        if author is None or author.is_bot or message.sender_chat:
            return
        is_dm = message.chat.type == ChatType.PRIVATE
        right = await self._right(message, str(author.id))
        given = f"{message.chat.id}/{message.message_id}"
        command = Command(channel_of(message), str(author.id), name, argument, right, is_dm, id=given)
        answer = await intake.commanded(command)
        with suppress(TelegramError):
            await message.reply_text(answer[:4000], disable_notification=True, allow_sending_without_reply=True)

    async def _right(self, message: Message, author: str) -> Right:
        """Return the asker's highest right: owners by [telegram] owners, moderators by being the group's admins."""
        if author in self._settings.owners:
            return "owner"
        if message.chat.type == ChatType.PRIVATE:
            return "anyone"
        try:
            member = await raw_member(self._bot, message.chat.id, int(author))
        except TelegramError:
            return "anyone"
        return "moderator" if member.get("status") in ("administrator", "creator") else "anyone"

    async def _rated(self, query: CallbackQuery, intake: Intake) -> None:
        """A button below a post of ours."""
        message = query.message
        if message and query.data in ("1", "-1"):
            place = channel_of(message) if isinstance(message, Message) else f"telegram:{message.chat.id}"
            await intake.rated(Vote(place, str(message.message_id), str(query.from_user.id), int(query.data)))
        with suppress(TelegramError):  # without it the button spins for a while
            await query.answer()

    async def pace(self, channel: str) -> None:
        """Keep to Telegram's limits, and to what it said when they were overrun."""
        await self._pacing.wait(int(self._chat_of(channel)))

    def _chat_of(self, channel: str) -> str:
        chat = _chat(channel)
        return self._moved.get(chat, chat)

    async def send(self, message: OutgoingMessage) -> str:
        """Post, as plain text. Whether a post of unknown result was made can't be found out. The answer is read raw:
        of a message that was made only its id is asked, whatever else the library can't parse in it."""
        topic = message.channel.split(":")[2:]
        chat = self._chat_of(message.channel)
        answers = message.reply_to.isdecimal() and ReplyParameters(
            int(message.reply_to), allow_sending_without_reply=True
        )
        wish = {
            "chat_id": int(chat),
            "text": message.text,
            "reply_parameters": answers,
            "message_thread_id": int(topic[0]) if topic else None,
            "reply_markup": message.votes and _VOTES,
            "link_preview_options": LinkPreviewOptions(is_disabled=True),
        }
        try:
            posted = await self._bot.do_api_request(
                "sendMessage", {name: value for name, value in wish.items() if value}
            )
            return str(posted["message_id"])
        except ChatMigrated as moved:
            self._moved[chat] = str(moved.new_chat_id)
            raise NotSent("the group has a new id", 0.0) from None
        except RetryAfter as refusal:
            self._pacing.hold(int(chat), _seconds(refusal))
            raise NotSent("rate limited", _seconds(refusal)) from None
        except (Forbidden, BadRequest) as refusal:
            raise Undeliverable(type(refusal).__name__) from None
        except NetworkError as failure:
            if isinstance(failure.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
                raise NotSent("no connection") from None
            raise ResultUnknown(type(failure).__name__) from None
        except (InvalidToken, EndPointNotFound):  # the gateway will notice; the post waits for a good one
            raise NotSent("not authorized", 30.0) from None
        except TelegramError as failure:
            raise ResultUnknown(type(failure).__name__) from None
        except RuntimeError:  # not initialised, or shut down
            raise NotSent("not connected") from None
        except (LookupError, TypeError) as failure:  # an answer without an id
            raise ResultUnknown(type(failure).__name__) from None

    async def find(self, message: OutgoingMessage) -> str | None:
        """Telegram can't tell."""
        return None

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        """Telegram gives bots none."""
        return []

    async def examine(self, targets: Sequence[str]) -> Sequence[Finding]:
        """Token, privacy mode, and whether it is in each chat."""
        from bot.gateways.telegram.doctor import examine

        return await examine(self._settings, self._bot, targets)

    def typing(self, channel: str) -> AbstractAsyncContextManager[None]:
        """Show the typing indicator; its failure is nobody's loss."""
        _, chat, *topic = channel.split(":")
        thread = int(topic[0]) if topic else None

        async def show() -> None:
            await self._bot.send_chat_action(int(self._moved.get(chat, chat)), "typing", message_thread_id=thread)

        return repeated(show, TYPING_EVERY, (TelegramError, RuntimeError))


def _chat(channel: str) -> str:
    return channel.split(":")[1]


def _seconds(refusal: RetryAfter) -> float:
    wait = refusal.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()
