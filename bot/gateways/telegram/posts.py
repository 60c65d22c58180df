"""Posts on Telegram: paced before they are sent, and what became of them."""

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

from bot.gateway import NotSent, OutgoingMessage, ResultUnknown, Undeliverable
from bot.gateways.telegram.chats import Chats, topic_of
from bot.gateways.telegram.pacing import Pacing

_VOTES = InlineKeyboardMarkup(
    [[InlineKeyboardButton("👍", callback_data="1"), InlineKeyboardButton("👎", callback_data="-1")]]
)


class Poster:
    """Posts for one bot account."""

    def __init__(self, bot: ExtBot[Any], chats: Chats) -> None:
        self._bot = bot
        self._chats = chats
        self._pacing = Pacing()

    async def pace(self, channel: str) -> None:
        """Keep to Telegram's limits, and to what it said when they were overrun."""
        await self._pacing.wait(self._chats.number_of(channel))

    async def send(self, message: OutgoingMessage) -> str:
        """Post, as plain text. Whether a post of unknown result was made can't be found out. The answer is read raw:
        of a message that was made only its id is asked, whatever else the library can't parse in it."""
        chat = self._chats.number_of(message.channel)
        answers = message.reply_to.isdecimal() and ReplyParameters(
            int(message.reply_to), allow_sending_without_reply=True
        )
        wish = {
            "chat_id": chat,
            "text": message.text,
            "reply_parameters": answers,
            "message_thread_id": topic_of(message.channel),
            "reply_markup": message.votes and _VOTES,
            "link_preview_options": LinkPreviewOptions(is_disabled=True),
        }
        try:
            posted = await self._bot.do_api_request(
                "sendMessage", {name: value for name, value in wish.items() if value}
            )
            return str(posted["message_id"])
        except ChatMigrated as moved:
            self._chats.move(str(chat), str(moved.new_chat_id))
            raise NotSent("the group has a new id", 0.0) from None
        except RetryAfter as refusal:
            self._pacing.hold(chat, _seconds(refusal))
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


def _seconds(refusal: RetryAfter) -> float:
    wait = refusal.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()
