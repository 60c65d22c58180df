"""Telegram through python-telegram-bot, which is imported nowhere else. Updates are fetched raw: the library would
acknowledge them before they are committed."""

import asyncio
import logging
import warnings
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import Any
from urllib.parse import urlsplit

from telegram import BotCommand
from telegram.error import BadRequest, Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest
from telegram.warnings import PTBUserWarning

from bot.gateway import COMMANDS, Expressions, Finding, IncomingMessage, Intake, OutgoingMessage
from bot.gateways.telegram import LIMITS
from bot.gateways.telegram.chats import Chats, owner_of, topic_of
from bot.gateways.telegram.posts import Poster
from bot.gateways.telegram.reactions import Reactions
from bot.gateways.telegram.updates import BUSINESS_KINDS, GUEST_KINDS, KINDS, UpdateCommitter
from bot.typing_indicator import repeated
from persona.errors import PermanentError
from persona.events import Event
from persona.platforms import Telegram

log = logging.getLogger("alterego.telegram")

POLL_SECONDS = 30  # how long Telegram holds an empty answer back
POLL_EVERY = 1.0  # seconds between two calls that brought nothing
TYPING_EVERY = 4.5  # seconds: the indicator lasts five
_REFUSED = "Telegram refused the token; put the token that @BotFather gave into TELEGRAM_TOKEN"


class TelegramGateway:
    """One bot account on Telegram."""

    platform = "telegram"
    limits = LIMITS

    def __init__(self, settings: Telegram, token: str) -> None:
        self._settings = settings
        logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)  # its errors quote what it could not read
        # the library's own methods parse all of an answer or nothing
        warnings.filterwarnings("ignore", r"Please use 'Bot\.", PTBUserWarning)
        try:
            # without the library's rate limiter, which waits inside a send: a row would be `sending` that was never sent
            self._polls = HTTPXRequest()  # of one connection, apart from those of the posts
            self._bot: ExtBot[Any] = ExtBot(token, base_url=settings.api_base, get_updates_request=self._polls)
        except InvalidToken:
            raise PermanentError(_REFUSED) from None
        self._kinds = [
            *KINDS,
            *(BUSINESS_KINDS if settings.business else []),
            *(GUEST_KINDS if settings.guest else []),
        ]
        self._chats = Chats(settings)
        self._poster = Poster(self._bot, self._chats)
        self._reactions = Reactions(self._bot)

    async def run(self, intake: Intake) -> None:
        """Fetch and commit updates until the connection fails. The bot stays open over a failure, since posts may be
        under way; it is closed when the platform is left for good."""
        try:
            await self._bot.initialize()
            await self._polls.initialize()  # again, after a failure
            me = await self._bot.get_me()
        except InvalidToken:
            await self._bot.shutdown()
            raise PermanentError(_REFUSED) from None
        except TelegramError as error:  # its text may hold the token
            raise ConnectionError(type(error).__name__) from None
        try:
            await intake.opened(f"telegram:{me.id}", me.username or "")
            self._chats.moved_before(await intake.moves())
            self._chats.connections |= await intake.connections()
            with suppress(BadRequest, RetryAfter):  # the old ones stay on offer
                await self._bot.set_my_commands([BotCommand(command.name, command.summary) for command in COMMANDS])
            committer = UpdateCommitter(self._settings, self._bot, self._chats, self._poster, self._reactions, intake)
            await self._fetch(committer, intake)
        except Conflict:
            await self._end_conflict()
            raise ConnectionError("Conflict") from None
        except TelegramError as error:  # whether the token is at fault is seen when it is next shown
            await (
                self._polls.shutdown()
            )  # a connection that hangs half-open would be waited for at every poll, for ever
            raise ConnectionError(type(error).__name__) from None
        except asyncio.CancelledError:
            await self._poster.close()
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
        """Return the raw updates from `offset` on."""
        wish = {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": self._kinds}
        return list(await self._bot.do_api_request("getUpdates", wish, read_timeout=POLL_SECONDS + 10))

    async def _fetch(self, committer: UpdateCommitter, intake: Intake) -> None:
        """An update is committed before the next call confirms it; the server keeps what is unconfirmed, so no offset
        is stored."""
        offset, loop = 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            updates = await self._updates(offset)
            intake.heard()
            await committer.commit(updates)
            offset = max([offset, *(int(update["update_id"]) + 1 for update in updates)])
            if not updates:  # a server that doesn't hold long polls would be asked without a pause
                await asyncio.sleep(max(0.0, began + POLL_EVERY - loop.time()))

    async def pace(self, channel: str, post_type: str = "text") -> None:
        """Keep to Telegram's limits, and to what it said when they were overrun."""
        await self._poster.pace(channel, post_type)

    async def send(self, message: OutgoingMessage) -> str:
        """Post: plain text, a sticker, or a reaction."""
        return await self._poster.send(message)

    async def delete(self, channel: str, message_id: str) -> None:
        """Delete a post of ours; Telegram lets a bot do so for two days."""
        await self._poster.delete(channel, message_id)

    async def find(self, message: OutgoingMessage) -> str | None:
        """Telegram can't tell."""
        return None

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        """Telegram gives bots none."""
        return []

    async def fetch(self, channel: str, message_id: str) -> IncomingMessage | None:
        """Telegram gives bots none; what a message answers it hands over with it."""
        return None

    async def expressions(self, channel: str) -> Expressions:
        """Return what can be said without words: Telegram's reactions, as far as the chat allows them."""
        if owner_of(channel):
            return Expressions()  # reactions know neither a connection nor a guest
        return Expressions(reactions=await self._reactions.allowed(self._chats.number_of(channel)))

    async def examine(self, targets: Sequence[str]) -> Sequence[Finding]:
        """Token, privacy mode, and whether it is in each chat."""
        from bot.gateways.telegram.doctor import examine

        return await examine(self._settings, self._bot, targets)

    def typing(self, channel: str) -> AbstractAsyncContextManager[None]:
        """Show the typing indicator. If that fails, nothing is lost."""

        if owner_of(channel):
            return nullcontext()  # a draft is made there, of which nobody is told

        async def show() -> None:
            chat, topic = self._chats.number_of(channel), topic_of(channel)
            await self._bot.send_chat_action(chat, "typing", message_thread_id=topic)

        return repeated(show, TYPING_EVERY, (TelegramError, RuntimeError))
