"""Discord through discord.py, which is imported nowhere else."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from json import JSONDecodeError
from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.gateways.base import IncomingMessage, Intake, Limits, NotSent, OutgoingMessage, ResultUnknown, Undeliverable
from persona.config import Discord
from persona.fault import StandingFault

log = logging.getLogger("alterego.discord")

CONNECTED_EVERY = 30.0  # seconds between notes of having heard everything
LOOK_BACK = 50  # posts searched for an earlier try of one that answers nothing
_ORDINARY = (discord.MessageType.default, discord.MessageType.reply)
_CUSTOM_EMOJI = re.compile(r"<a?(:\w{2,32}:)\d{15,21}>")
_FINAL = {
    4004: "Discord refused the token; put the bot's token into DISCORD_TOKEN",
    4011: "this bot is in so many servers that Discord asks for sharding, which alterego doesn't do",
    4013: "Discord refused the intents; update alterego",
    4014: "Discord refused the message content intent; "
    "switch it on under Bot, Privileged Gateway Intents in the developer portal",
}


class DiscordGateway:
    """One bot account on Discord."""

    platform = "discord"
    limits = Limits(units=2000, resends=True)

    def __init__(self, settings: Discord, token: str) -> None:
        self._settings = settings
        self._token = token
        self._client: _Client | None = None
        Route.BASE = settings.api_base
        if settings.gateway_url:
            DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.gateway_url)

    async def run(self, intake: Intake) -> None:
        """Connect, catch up, and commit what is said until the connection is lost for good."""
        client = self._client = _Client(self._settings, intake)
        tasks = [
            asyncio.create_task(part)
            for part in (client.start(self._token), client.open_sessions(), client.commit(), client.note_connected())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except discord.LoginFailure:
            raise StandingFault(_FINAL[4004]) from None
        except discord.PrivilegedIntentsRequired:
            raise StandingFault(_FINAL[4014]) from None
        except discord.ConnectionClosed as closed:
            if closed.code in _FINAL:
                raise StandingFault(_FINAL[closed.code]) from None
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await client.close()
            self._client = None

    async def send(self, message: OutgoingMessage) -> str:
        """Post; Discord takes two posts with one nonce within a few minutes for one."""
        channel = await self._channel(message.channel)
        reference = (
            discord.MessageReference(message_id=int(message.reply_to), channel_id=channel.id, fail_if_not_exists=False)
            if message.reply_to
            else None
        )
        options: dict[str, Any] = {"reference": reference} if reference else {}
        posted = await _asked(
            channel.send(message.text, nonce=message.nonce, allowed_mentions=discord.AllowedMentions.none(), **options)
        )
        return str(posted.id)

    async def find(self, message: OutgoingMessage) -> str | None:
        """Look for our own post of the same text after the message that called for it."""
        channel = await self._channel(message.channel)
        after = {"after": discord.Object(int(message.after)), "oldest_first": True} if message.after else {}

        async def search() -> str | None:
            async for post in channel.history(limit=LOOK_BACK if not message.after else None, **after):
                if self._client and post.author == self._client.user and post.content == message.text:
                    return str(post.id)
            return None

        found: str | None = await _asked(search())
        return found

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
        with suppress(NotSent, Undeliverable, ResultUnknown):
            place = await self._channel(channel)
            while True:
                await _asked(place._state.http.send_typing(place.id))
                await asyncio.sleep(8)  # the indicator lasts ten seconds

    async def _channel(self, channel: str) -> Any:
        if not self._client or not self._client.is_ready():
            raise NotSent("not connected")
        number = int(channel.split(":")[1])
        return self._client.get_channel(number) or await _asked(self._client.fetch_channel(number))


async def _asked(request: Awaitable[Any]) -> Any:
    """The answer to a request, its failure told as the three that a sender knows."""
    try:
        return await request
    except (discord.Forbidden, discord.NotFound) as refusal:
        raise Undeliverable(f"{refusal.status}") from None
    except discord.RateLimited as refusal:
        raise NotSent("rate limited", refusal.retry_after) from None
    except discord.HTTPException as refusal:
        if refusal.status == 429:
            raise NotSent("rate limited", 5.0) from None
        if refusal.status >= 500:
            raise ResultUnknown(f"{refusal.status}") from None
        raise Undeliverable(f"{refusal.status}") from None
    except (aiohttp.ClientConnectorError, RuntimeError) as failure:  # never left; or the session is closed
        raise NotSent(type(failure).__name__) from None
    except (TimeoutError, aiohttp.ClientError, OSError, JSONDecodeError, KeyError, TypeError) as failure:
        raise ResultUnknown(type(failure).__name__) from None


class _Client(discord.Client):
    """Queues what is said in order, and holds it back until the channels have caught up."""

    def __init__(self, settings: Discord, intake: Intake) -> None:
        intents = discord.Intents(guilds=True, messages=True, message_content=True)
        super().__init__(
            intents=intents,
            max_messages=200,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        self._settings = settings
        self._intake = intake
        self._said: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._new_session = asyncio.Event()
        self._caught_up = asyncio.Event()

    async def on_message(self, message: discord.Message) -> None:
        """Something was said."""
        self._said.put_nowait(lambda: self._received(message))

    async def on_disconnect(self) -> None:
        """From here on messages may be missed: hold back what comes before they were looked for."""
        self._caught_up.clear()

    async def on_resumed(self) -> None:
        """Discord has told again what was missed."""
        self._caught_up.set()

    async def on_ready(self) -> None:
        """A new session: what was said in between must be asked for. Not here: the library swallows what its events
        raise."""
        self._new_session.set()

    async def open_sessions(self) -> None:
        """Catch up whenever a session is new, then let what is said through."""
        while True:
            await self._new_session.wait()
            self._new_session.clear()
            assert self.user
            await self._intake.opened(f"discord:{self.user.id}", self.user.name)
            await self._catch_up()
            self._caught_up.set()

    async def commit(self) -> None:
        """Commit what is said, one after the other."""
        while True:
            told = await self._said.get()
            await self._caught_up.wait()
            await told()

    async def note_connected(self) -> None:
        """Note now and then that everything was heard."""
        while True:
            await asyncio.sleep(CONNECTED_EVERY)
            if self._caught_up.is_set() and self._said.empty():
                await self._intake.connected(time.time())

    async def _catch_up(self) -> None:
        """Read every channel from its watermark on; one without, from when everything was last heard."""
        known = await self._intake.watermarks()
        since = await self._intake.connected_at()
        beginning = str(discord.utils.time_snowflake(datetime.fromtimestamp(since, UTC))) if since else None
        for number in self._readable() | {int(channel.split(":")[1]) for channel in known}:
            if after := known.get(f"discord:{number}", beginning):
                await self._catch_up_in(number, int(after))
        await self._intake.connected(time.time())

    def _readable(self) -> set[int]:
        places = [*self.get_all_channels(), *(thread for guild in self.guilds for thread in guild.threads)]
        return {
            place.id
            for place in places
            if isinstance(place, discord.TextChannel | discord.Thread | discord.VoiceChannel)
            and place.permissions_for(place.guild.me).read_message_history
        }

    async def _catch_up_in(self, number: int, after: int) -> None:
        try:
            channel = self.get_channel(number) or await self.fetch_channel(number)
            if isinstance(channel, discord.abc.Messageable):
                async for message in channel.history(limit=None, after=discord.Object(after), oldest_first=True):
                    await self._received(message)
        except (discord.Forbidden, discord.NotFound):
            log.warning("channel can't be read any more channel=discord:%s", number)

    async def _received(self, message: discord.Message) -> None:
        if heard := self._heard(message):
            await self._intake.received(heard)

    def _heard(self, message: discord.Message) -> IncomingMessage | None:
        author, channel = message.author, message.channel
        places = {str(channel.id), str(getattr(channel, "parent_id", "") or "")}
        is_dm = isinstance(channel, discord.DMChannel | discord.GroupChannel)
        listened = is_dm or not self._settings.channels or places & set(self._settings.channels)
        welcome = not self._settings.users or str(author.id) in self._settings.users
        if author.bot or message.webhook_id or message.type not in _ORDINARY or not (listened and welcome):
            return None
        answered = message.reference.resolved if message.reference else None
        return IncomingMessage(
            channel=f"discord:{channel.id}",
            message_id=str(message.id),
            author_id=str(author.id),
            author_name=author.display_name,
            text=self._text(message),
            at=message.created_at.timestamp(),
            is_dm=is_dm,
            mention=self.user in message.mentions
            or any(
                role.is_bot_managed() and message.guild and role in message.guild.me.roles
                for role in message.role_mentions
            ),
            reply=isinstance(answered, discord.Message) and answered.author == self.user,
            attachments=tuple(_kind(one.content_type or "") for one in message.attachments)
            + tuple(f"sticker {one.name}" for one in message.stickers),
        )

    def _text(self, message: discord.Message) -> str:
        """The text with mentions by name, and without our own at its start."""
        assert self.user
        text = re.sub(rf"^\s*<@!?{self.user.id}>[\s,:]*", "", message.content)
        for member in message.mentions:
            text = re.sub(rf"<@!?{member.id}>", f"@{member.display_name}".replace("\\", "\\\\"), text)
        for place in (*message.channel_mentions, *message.role_mentions):
            sign = "@&" if isinstance(place, discord.Role) else "#"
            text = text.replace(f"<{sign}{place.id}>", f"{sign[0]}{place.name}")
        return _CUSTOM_EMOJI.sub(r"\1", text)


def _kind(content_type: str) -> str:
    start = content_type.partition("/")[0]
    return {"image": "photo", "video": "video", "audio": "voice"}.get(start, "file")
