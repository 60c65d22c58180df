"""Discord through discord.py, which is imported nowhere else."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.gateway import (
    Expressions,
    Finding,
    IncomingMessage,
    Intake,
    NotSent,
    OutgoingMessage,
    ResultUnknown,
    Undeliverable,
)
from bot.gateways.discord import LIMITS
from bot.gateways.discord.client import QUEUE, Client
from bot.gateways.discord.dropped_edits import DroppedEdits
from bot.gateways.discord.expressions import qualified
from bot.gateways.discord.messages import number_of, parse_message
from bot.gateways.discord.pages import page_before, pages_after
from bot.gateways.discord.tweet_targets import find_thread, open_thread
from bot.tasks import end
from bot.typing_indicator import repeated
from persona.errors import PermanentError
from persona.platforms import Discord

log = logging.getLogger("alterego.discord")

LOOK_BACK = 50  # posts searched for an earlier try of one that answers nothing
CLOSE_SECONDS = 2.0
TYPING_EVERY = 8.0  # seconds: the indicator lasts ten
_FINAL = {
    4004: "Discord refused the token; put the bot's token into DISCORD_TOKEN",
    4011: "this bot is in so many servers that Discord asks for sharding, which alterego doesn't do",
    4013: "Discord refused the intents; update alterego",
    4014: "Discord refused the message content intent; "
    "switch it on under Bot, Privileged Gateway Intents in the developer portal",
}


CANNOT_REPLY = 160002  # "Cannot reply without permission to read message history": Discord's code for it


class _Gone(Undeliverable):
    """What it is about does not exist."""


class _CannotReply(Undeliverable):
    """It may post there, but answer nothing."""


class DiscordGateway:
    """One bot account on Discord."""

    platform = "discord"
    limits = LIMITS

    def __init__(
        self,
        settings: Discord,
        token: str,
        *,
        feedback: bool = False,
        expires: float = 86400.0,
        targets: Sequence[str] = (),
        heartbeat_timeout: float = 60.0,
        queue_size: int = QUEUE,
    ) -> None:
        self._settings = settings
        self._token = token
        self._feedback = feedback
        self._expires = expires  # seconds after which no message is answered any more
        self._targets = targets  # of tweets
        self._heartbeat_timeout = heartbeat_timeout  # seconds without a word after which a connection is dead
        self._queue_size = queue_size
        self._client: Client | None = None
        self._edits = DroppedEdits()
        # where orjson happens to be installed the library would take it, which refuses a whole page of history for half an
        # emoji in it, again and again
        discord.utils._from_json = json.loads  # type: ignore[assignment]  # it takes no memoryview, and gets none
        logging.getLogger("discord").setLevel(logging.WARNING)  # below it texts are logged, at --debug too
        logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns of voice libraries that we don't want
        Route.BASE = settings.api_base
        if settings.gateway_url:
            DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.gateway_url)

    async def run(self, intake: Intake) -> None:
        """Connect, catch up, and commit what is said until the connection is lost for good."""
        client = self._client = Client(
            self._settings,
            intake,
            feedback=self._feedback,
            expires=self._expires,
            targets=self._targets,
            edits=self._edits,
            heartbeat_timeout=self._heartbeat_timeout,
            queue_size=self._queue_size,
        )
        parts = (client.start(self._token), *client.parts())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except discord.LoginFailure:
            raise PermanentError(_FINAL[4004]) from None
        except discord.PrivilegedIntentsRequired:
            raise PermanentError(_FINAL[4014]) from None
        except discord.ConnectionClosed as closed:
            if closed.code in _FINAL:
                raise PermanentError(_FINAL[closed.code]) from None
            raise
        finally:
            await end(tasks)
            await _closed(client)
            self._client = None

    async def pace(self, channel: str, post_type: str = "text") -> None:
        """The library waits inside a request, as long as it takes; a nonce makes that safe."""

    async def send(self, message: OutgoingMessage) -> str:
        """Post; Discord takes two posts with one nonce within a few minutes for one, and a reaction is there once."""
        if message.post_type == "reaction":
            return await self._react(message)
        channel = await self._channel(message.channel)
        if isinstance(channel, discord.ForumChannel):
            return str((await _asked(open_thread(channel, message))).id)
        reference = (
            discord.MessageReference(message_id=int(message.reply_to), channel_id=channel.id, fail_if_not_exists=False)
            if message.reply_to
            else None
        )
        options: dict[str, Any] = {"reference": reference} if reference else {}
        if message.post_type == "sticker":
            options["stickers"] = [discord.Object(int(message.text))]
        text = message.text if message.post_type == "text" else None
        options |= {"nonce": message.nonce, "allowed_mentions": discord.AllowedMentions.none()}
        try:
            posted = await _asked(channel.send(text, **options))
        except _CannotReply:  # without a link, then: it stands below what it answers
            posted = await _asked(channel.send(text, **{**options, "reference": None}))
        return str(posted.id)

    async def _react(self, message: OutgoingMessage) -> str:
        """React to the message that is answered."""
        http, number = self._connected().http, number_of(message.channel)
        await _asked(http.add_reaction(number, int(message.reply_to), qualified(message.text)))
        return message.reply_to

    async def delete(self, channel: str, message_id: str) -> None:
        """Delete a post of ours."""
        with suppress(_Gone):
            await _asked(self._connected().http.delete_message(number_of(channel), int(message_id)))

    async def find(self, message: OutgoingMessage) -> str | None:
        """Look for our own post of the same text, and in answer to the same message, after the one that called for it."""
        client, number = self._connected(), number_of(message.channel)
        if isinstance(forum := client.get_channel(number), discord.ForumChannel):
            assert client.user
            return find_thread(forum, message, client.user.id)

        async def search() -> str | None:
            if not message.after:
                return _same(await page_before(client, number, None, LOOK_BACK), message, client)
            async for messages in pages_after(client, number, int(message.after)):
                if same := _same(messages, message, client):
                    return same
            return None

        same: str | None = await _asked(search())
        return same

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        """Return what was said in a channel before that message, oldest first, our own posts too."""
        client = self._connected()
        messages: list[discord.Message] = await _asked(page_before(client, number_of(channel), int(before), most))
        parsed: list[IncomingMessage] = await _asked(client.parse_all(messages, own=True))
        return parsed

    async def fetch(self, channel: str, message_id: str) -> IncomingMessage | None:
        """Return one message of a channel, whoever wrote it; None if it is gone."""
        client, number = self._connected(), number_of(channel)
        place: Any = await self._channel(channel)
        data = await _asked(client.http.get_message(number, int(message_id)))
        try:
            message = client._connection.create_message(channel=place, data=data)
        except Exception:  # whatever the library makes of a message that it doesn't know
            return None
        assert client.user
        return parse_message(message, client.user)

    async def expressions(self, channel: str) -> Expressions:
        """Return what can be said in a channel without words."""
        expressions: Expressions = await _asked(self._connected().expressions(number_of(channel)))
        return expressions

    async def examine(self, targets: Sequence[str]) -> Sequence[Finding]:
        """Token, intents, and what it may do in each channel."""
        from bot.gateways.discord.doctor import examine

        return await examine(self._settings, self._token, targets)

    def typing(self, channel: str) -> AbstractAsyncContextManager[None]:
        """Show the typing indicator. If that fails, nothing is lost."""

        async def show() -> None:
            place = await self._channel(channel)
            await _asked(place._state.http.send_typing(place.id))

        return repeated(show, TYPING_EVERY, (NotSent, Undeliverable, ResultUnknown))

    def _connected(self) -> Client:
        if not self._client or not self._client.is_ready():
            raise NotSent("not connected")
        return self._client

    async def _channel(self, channel: str) -> Any:
        client, number = self._connected(), number_of(channel)
        place: Any = client.get_channel(number) or await _asked(client.fetch_channel(number))
        if not isinstance(place, discord.abc.Messageable | discord.ForumChannel):
            raise Undeliverable(f"a {place.type} takes no posts: name a channel, a thread or a forum in it")
        return place


def _same(messages: Sequence[discord.Message], message: OutgoingMessage, client: discord.Client) -> str | None:
    """Return the id of the post among these that is `message`: ours, of the same text, in answer to the same
    message."""
    for post in messages:
        answers = str(post.reference.message_id) if post.reference else ""
        stickers = [str(sticker.id) for sticker in post.stickers]
        is_same = stickers == [message.text] if message.post_type == "sticker" else post.content == message.text
        if post.author == client.user and is_same and answers in (message.reply_to, ""):
            return str(post.id)
    return None


async def _asked(request: Awaitable[Any]) -> Any:
    """Return the answer to a request. Raises NotSent, Undeliverable or ResultUnknown."""
    try:
        return await request
    except discord.NotFound as refusal:
        raise _Gone(f"{refusal.status}") from None
    except discord.Forbidden as refusal:
        raise _refused(refusal) from None
    except discord.RateLimited as refusal:
        raise NotSent("rate limited", refusal.retry_after) from None
    except discord.HTTPException as refusal:
        if refusal.status == 429:
            raise NotSent("rate limited", 5.0) from None
        if refusal.status == 401:  # the token is no longer good: the gateway will notice, the post waits for a new one
            raise NotSent("not authorized", 30.0) from None
        if refusal.status >= 500:
            raise ResultUnknown(f"{refusal.status}") from None
        raise _refused(refusal) from None
    except (aiohttp.ClientConnectorError, RuntimeError) as failure:  # never left; or the session is closed
        raise NotSent(type(failure).__name__) from None
    except (
        TimeoutError,
        aiohttp.ClientError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        discord.InvalidData,
    ) as failure:
        raise ResultUnknown(type(failure).__name__) from None


def _refused(refusal: discord.HTTPException) -> Undeliverable:
    kind = _CannotReply if refusal.code == CANNOT_REPLY else Undeliverable
    return kind(f"{refusal.status}")


async def _closed(client: discord.Client) -> None:
    """Say goodbye, but not for longer than CLOSE_SECONDS: a dead connection would hold it back for ten."""
    with suppress(TimeoutError):
        await asyncio.wait_for(client.close(), CLOSE_SECONDS)
    await client.http.close()
    if ready := client._connection._ready_task:  # it would go on without a client
        ready.cancel()
