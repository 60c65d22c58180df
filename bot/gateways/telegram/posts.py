"""Posts on Telegram: paced before they are sent, and what became of them."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import ExtBot

from bot.gateway import NotSent, OutgoingMessage, ResultUnknown, Undeliverable, takes_one_post
from bot.gateways.telegram import LIMITS, guests
from bot.gateways.telegram.chats import Chats, owner_of, topic_of
from bot.gateways.telegram.custom_emoji import CustomEmoji
from bot.gateways.telegram.pacing import Pacing
from bot.tasks import end

_VOTES = InlineKeyboardMarkup(
    [[InlineKeyboardButton("👍", callback_data="1"), InlineKeyboardButton("👎", callback_data="-1")]]
)

SEND, DROP, WORDS = "send", "drop", "words"  # what the buttons below a draft say
_LABELS = {"✓": SEND, "✎": WORDS, "✗": DROP}


class _Gone(Undeliverable):
    """What it is about does not exist."""


class Poster:
    """Posts for one bot account."""

    def __init__(self, bot: ExtBot[Any], chats: Chats) -> None:
        self._bot = bot
        self._chats = chats
        self._pacing = Pacing()
        self.emoji = CustomEmoji()
        self._answers: set[asyncio.Task[None]] = set()

    async def pace(self, channel: str, post_type: str = "text") -> None:
        """Keep to Telegram's limits, and to what it said when they were overrun."""
        await self._pacing.wait(self._chats.number_of(channel), reacts=post_type == "reaction")

    async def send(self, message: OutgoingMessage) -> str:
        """Post, a text as it stands. Whether a post of unknown result was made can't be found out. The answer is read raw:
        of a message that was made only its id is asked, whatever else the library can't parse in it."""
        if takes_one_post(message.channel):
            posted = await self._asked(message.channel, "answerGuestQuery", guests.answer_of(message))
            return _id_in(posted, "inline_message_id")
        chat = self._chats.number_of(message.channel)
        answers = message.reply_to.isdecimal() and ReplyParameters(
            int(message.reply_to), allow_sending_without_reply=True
        )
        wish = {
            "chat_id": chat,
            "reply_parameters": answers,
            "message_thread_id": topic_of(message.channel),
            "reply_markup": (message.votes and _VOTES) or (message.decides and _decisions(message.nonce)),
            "business_connection_id": self._chats.connections.get(owner_of(message.channel)),
        }
        method, special = _special(message)
        if method == "setMessageReaction":
            wish = {"chat_id": chat}
        entities = self.emoji.entities(chat, message.text) if method == "sendMessage" else []
        try:
            posted = await self._asked(message.channel, method, {**wish, **special, "entities": entities})
        except Undeliverable:
            if not entities:
                raise
            self.emoji.forget(chat)  # such as those of a set that is gone
            posted = await self._asked(message.channel, method, {**wish, **special})
        return message.reply_to if method == "setMessageReaction" else _id_in(posted, "message_id")

    async def delete(self, channel: str, message_id: str) -> None:
        """Delete a post, or as a guest edit it away; one that is gone already is deleted."""
        with suppress(_Gone):
            if takes_one_post(channel):
                await self._asked(channel, "editMessageText", guests.taken_back(message_id))
                return
            wish = {"chat_id": self._chats.number_of(channel), "message_id": int(message_id)}
            await self._asked(channel, "deleteMessage", wish)

    def answer(self, channel: str, text: str, reply_to: int | str) -> None:
        """Answer a command when the chat takes another post. Nobody waits for it, and one that fails is dropped."""
        task = asyncio.create_task(self._answer(channel, text, reply_to))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def close(self) -> None:
        """Drop the answers that still wait."""
        await end(self._answers)

    async def _answer(self, channel: str, text: str, reply_to: int | str) -> None:
        await self.pace(channel)
        text = text[: LIMITS.units // 2]  # of its characters each may be two code units
        if takes_one_post(channel):
            said = OutgoingMessage(channel, text, "answer", after=str(reply_to))
            with suppress(NotSent, Undeliverable, ResultUnknown):
                await self._asked(channel, "answerGuestQuery", guests.answer_of(said))
            return
        wish = {
            "chat_id": self._chats.number_of(channel),
            "text": text,
            "reply_parameters": ReplyParameters(int(reply_to), allow_sending_without_reply=True),
            "message_thread_id": topic_of(channel),
            "disable_notification": True,
        }
        with suppress(NotSent, Undeliverable, ResultUnknown):
            await self._asked(channel, "sendMessage", wish)

    async def _asked(self, channel: str, method: str, wish: dict[str, Any]) -> Any:
        """Return the answer to a request. Raises NotSent, Undeliverable or ResultUnknown."""
        chat = self._chats.number_of(channel)
        try:
            return await self._bot.do_api_request(method, {name: value for name, value in wish.items() if value})
        except ChatMigrated as moved:
            self._chats.move(str(chat), str(moved.new_chat_id))
            raise NotSent("the group has a new id", 0.0) from None
        except RetryAfter as refusal:
            self._pacing.hold(chat, _seconds(refusal), reacts=method == "setMessageReaction")
            raise NotSent("rate limited", _seconds(refusal)) from None
        except (Forbidden, BadRequest) as refusal:
            kind = _Gone if "not found" in refusal.message else Undeliverable
            raise kind(type(refusal).__name__) from None
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


def _decisions(nonce: str) -> InlineKeyboardMarkup:
    """Return the buttons below a draft. nonce: by which it is known where Telegram's answer to its post got lost."""
    buttons = [InlineKeyboardButton(label, callback_data=f"{says} {nonce}") for label, says in _LABELS.items()]
    return InlineKeyboardMarkup([buttons])


def _id_in(posted: Any, key: str) -> str:
    """Return the id of a post. Raises ResultUnknown for an answer without one."""
    try:
        return str(posted[key])
    except (LookupError, TypeError) as failure:
        raise ResultUnknown(type(failure).__name__) from None


def _special(message: OutgoingMessage) -> tuple[str, dict[str, Any]]:
    """The method of a post, and what only that takes."""
    match message.post_type:
        case "reaction":
            if not message.reply_to.isdecimal():
                raise Undeliverable("the message is of the group's old id")
            reaction = [{"type": "emoji", "emoji": message.text}]
            return "setMessageReaction", {"message_id": int(message.reply_to), "reaction": reaction}
        case "sticker":
            return "sendSticker", {"sticker": message.text}
    return "sendMessage", {"text": message.text, "link_preview_options": LinkPreviewOptions(is_disabled=True)}


def _seconds(refusal: RetryAfter) -> float:
    wait = refusal.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()
