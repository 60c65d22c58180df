"""Telegram through python-telegram-bot, which is imported nowhere else. Updates are fetched raw: the library would
acknowledge them before they are committed."""

import asyncio
import json
import logging
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from telegram import Message, MessageEntity, ReplyParameters, Update
from telegram.constants import ChatType
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import AIORateLimiter, ExtBot
from telegram.warnings import PTBUserWarning

from bot.gateways.base import IncomingMessage, Intake, Limits, NotSent, OutgoingMessage, ResultUnknown, Undeliverable
from persona.config import Telegram
from persona.fault import StandingFault

log = logging.getLogger("alterego.telegram")

POLL_SECONDS = 30  # how long Telegram holds an empty answer back
CONFLICT_PAUSE = 30.0
_REFUSED = "Telegram refused the token; put the token that @BotFather gave into TELEGRAM_TOKEN"


class TelegramGateway:
    """One bot account on Telegram."""

    platform = "telegram"
    limits = Limits(units=4096, resends=False)

    def __init__(self, settings: Telegram, token: str) -> None:
        self._settings = settings
        warnings.filterwarnings("ignore", "Please use 'Bot.getUpdates'", PTBUserWarning)  # that parses them all or none
        try:
            self._bot: ExtBot[Any] = ExtBot(
                token, base_url=settings.api_base, rate_limiter=AIORateLimiter(max_retries=3)
            )  # its default is 0
        except InvalidToken:
            raise StandingFault(_REFUSED) from None
        self._moved: dict[str, str] = {}  # a group that became a supergroup has another id

    async def run(self, intake: Intake) -> None:
        """Fetch and commit updates until the connection fails."""
        try:
            async with self._bot:
                me = await self._bot.get_me()
                await intake.opened(f"telegram:{me.id}", me.username or "")
                await self._fetch(intake)
        except (InvalidToken, Forbidden):
            raise StandingFault(_REFUSED) from None
        except TelegramError as error:  # its text may hold the token
            raise ConnectionError(type(error).__name__) from None

    async def _updates(self, offset: int) -> list[dict[str, Any]]:
        """The raw updates from `offset` on."""
        wish = {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": ["message"]}
        return list(await self._bot.do_api_request("getUpdates", wish, read_timeout=POLL_SECONDS + 10))

    async def _fetch(self, intake: Intake) -> None:
        """An update is committed before the next call confirms it; the server keeps what is unconfirmed, so no offset
        is stored."""
        offset = 0
        while True:
            try:
                updates = await self._updates(offset)
            except Conflict:
                log.error("another process fetches this bot's updates; stop it, or use another token")
                await asyncio.sleep(CONFLICT_PAUSE)
                continue
            for update in updates:
                await self._commit(update, intake)
                offset = int(update["update_id"]) + 1

    async def _commit(self, update: Mapping[str, Any], intake: Intake) -> None:
        try:
            parsed = Update.de_json(dict(update), self._bot)
            heard = self._heard(parsed.message) if parsed.message else None
        except (
            Exception
        ) as error:  # whatever the library makes of an update it doesn't know: it must not be met for ever
            await intake.quarantine(json.dumps(update, ensure_ascii=False), type(error).__name__)
            return
        if heard:
            await intake.received(heard)

    def _heard(self, message: Message) -> IncomingMessage | None:
        author, private = message.from_user, message.chat.type == ChatType.PRIVATE
        if (
            author is None
            or author.is_bot
            or message.via_bot
            or message.sender_chat
            or not (message.effective_attachment or message.text)
        ):
            return None
        if str(author.id if private else message.chat.id) not in (
            self._settings.users if private else self._settings.chats
        ):
            log.info(
                "knock %s=%s; name it in persona.toml to let it in",
                "user" if private else "chat",
                author.id if private else message.chat.id,
            )
            return None
        text, mention = self._text(message)
        if text.startswith("/"):
            return None
        answered = message.reply_to_message
        topic = f":{message.message_thread_id}" if message.is_topic_message and message.message_thread_id else ""
        return IncomingMessage(
            channel=f"telegram:{message.chat.id}{topic}",
            message_id=str(message.message_id),
            author_id=str(author.id),
            author_name=author.full_name,
            text=text,
            at=message.date.timestamp(),
            is_dm=private,
            mention=mention,
            reply=bool(answered and answered.from_user and answered.from_user.id == self._bot.id),
            attachments=_attachments(message),
        )

    def _text(self, message: Message) -> tuple[str, bool]:
        """The text without our own mention at its start, and whether we were mentioned. User names know no case."""
        entities = message.parse_entities() if message.text else message.parse_caption_entities()
        text = message.text or message.caption or ""
        mention = False
        for entity, said in entities.items():
            by_name = (
                entity.type == MessageEntity.MENTION and said.lstrip("@").casefold() == self._bot.username.casefold()
            )
            by_id = (
                entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == self._bot.id
            )
            if by_name or by_id:
                mention = True
                if entity.offset == 0:
                    text = text.removeprefix(said).lstrip(" ,:")
        return text, mention

    async def send(self, message: OutgoingMessage) -> str:
        """Post, as plain text. A post whose result is unknown can't be told from one never made."""
        _, chat, *topic = message.channel.split(":")
        chat = self._moved.get(chat, chat)
        answers = ReplyParameters(int(message.reply_to), allow_sending_without_reply=True) if message.reply_to else None
        try:
            posted = await self._bot.send_message(
                int(chat), message.text, reply_parameters=answers, message_thread_id=int(topic[0]) if topic else None
            )
        except ChatMigrated as moved:
            self._moved[chat] = str(moved.new_chat_id)
            raise NotSent("the group has a new id", 0.0) from None
        except RetryAfter as refusal:
            raise NotSent("rate limited", _seconds(refusal)) from None
        except (Forbidden, BadRequest) as refusal:
            raise Undeliverable(type(refusal).__name__) from None
        except NetworkError as failure:
            if isinstance(failure.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
                raise NotSent("no connection") from None
            raise ResultUnknown(type(failure).__name__) from None
        except TelegramError as failure:
            raise ResultUnknown(type(failure).__name__) from None
        except RuntimeError:  # not initialised, or shut down
            raise NotSent("not connected") from None
        return str(posted.message_id)

    async def find(self, message: OutgoingMessage) -> str | None:
        """Telegram can't tell."""
        return None

    @asynccontextmanager
    async def typing(self, channel: str) -> AsyncIterator[None]:
        """The typing indicator; its failure is nobody's loss."""
        task = asyncio.create_task(self._type(channel))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _type(self, channel: str) -> None:
        _, chat, *topic = channel.split(":")
        with suppress(TelegramError, RuntimeError):
            while True:
                await self._bot.send_chat_action(
                    int(self._moved.get(chat, chat)), "typing", message_thread_id=int(topic[0]) if topic else None
                )
                await asyncio.sleep(4.5)  # the indicator lasts five seconds


def _attachments(message: Message) -> tuple[str, ...]:
    if message.sticker:
        return (f"sticker {message.sticker.emoji}" if message.sticker.emoji else "sticker",)
    kinds = {
        "photo": message.photo,
        "voice": message.voice,
        "video": message.video or message.video_note,
        "gif": message.animation,
        "audio": message.audio,
        "file": message.document,
    }
    return tuple(kind for kind, there in kinds.items() if there)[:1]


def _seconds(refusal: RetryAfter) -> float:
    wait = refusal.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()
