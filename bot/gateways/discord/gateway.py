"""Discord through discord.py, which is imported nowhere else."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.gateway import (
    Finding,
    IncomingMessage,
    Intake,
    NotSent,
    OutgoingMessage,
    ResultUnknown,
    Undeliverable,
    Vote,
)
from bot.gateways.discord import LIMITS
from bot.gateways.discord.commands import offer_commands
from bot.gateways.discord.event_queue import Change, Dropped, EventQueue
from bot.gateways.discord.messages import parse_message
from bot.tasks import end
from bot.typing_indicator import repeated
from persona.errors import PermanentError
from persona.events import Event
from persona.platforms import Discord

log = logging.getLogger("alterego.discord")

CONNECTED_EVERY = 30.0  # seconds between notes of having heard everything
LOOK_BACK = 50  # posts searched for an earlier try of one that answers nothing
CLOSE_SECONDS = 2.0
TYPING_EVERY = 8.0  # seconds: the indicator lasts ten
QUEUE = 10_000  # events that may wait to be committed; what comes on top is read from history afterwards
BATCH = 100  # messages that are committed in one transaction
HISTORY = 100  # messages that Discord gives in one answer
_SCORES = {"👍": 1, "👎": -1}
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
    limits = LIMITS

    def __init__(
        self,
        settings: Discord,
        token: str,
        *,
        feedback: bool = False,
        heartbeat_timeout: float = 60.0,
        queue_size: int = QUEUE,
    ) -> None:
        self._settings = settings
        self._token = token
        self._feedback = feedback
        self._heartbeat_timeout = heartbeat_timeout  # seconds without a word after which a connection is dead
        self._queue_size = queue_size
        self._client: _Client | None = None
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
        client = self._client = _Client(
            self._settings, intake, self._feedback, self._heartbeat_timeout, self._queue_size
        )
        parts = (client.start(self._token), client.open_sessions(), client.commit(), client.note_connected())
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

    async def pace(self, channel: str) -> None:
        """The library waits inside a request, as long as it takes; a nonce makes that safe."""

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
        """Look for our own post of the same text, and in answer to the same message, after the one that called for it."""
        channel = await self._channel(message.channel)
        after = {"after": discord.Object(int(message.after)), "oldest_first": True} if message.after else {}

        async def search() -> str | None:
            async for post in channel.history(limit=None if message.after else LOOK_BACK, **after):
                answers = str(post.reference.message_id) if post.reference else ""
                mine = self._client and post.author == self._client.user
                if mine and post.content == message.text and answers in (message.reply_to, ""):
                    return str(post.id)
            return None

        found: str | None = await _asked(search())
        return found

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        """What was said in a channel before that message, oldest first, our own posts too."""
        place = await self._channel(channel)
        client = self._client

        async def read() -> list[IncomingMessage]:
            said = [one async for one in place.history(limit=min(most, HISTORY), before=discord.Object(int(before)))]
            return [one for message in reversed(said) if client and (one := client.parse(message, own=True))]

        found: list[IncomingMessage] = await _asked(read())
        return found

    async def examine(self) -> Sequence[Finding]:
        """Token, intents, and what it may do in each channel."""
        from bot.gateways.discord.doctor import examine

        return await examine(self._settings, self._token)

    def typing(self, channel: str) -> AbstractAsyncContextManager[None]:
        """Show the typing indicator; its failure is nobody's loss."""

        async def show() -> None:
            place = await self._channel(channel)
            await _asked(place._state.http.send_typing(place.id))

        return repeated(show, TYPING_EVERY, (NotSent, Undeliverable, ResultUnknown))

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
        if refusal.status == 401:  # the token is no longer good: the gateway will notice, the post waits for a new one
            raise NotSent("not authorized", 30.0) from None
        if refusal.status >= 500:
            raise ResultUnknown(f"{refusal.status}") from None
        raise Undeliverable(f"{refusal.status}") from None
    except (aiohttp.ClientConnectorError, RuntimeError) as failure:  # never left; or the session is closed
        raise NotSent(type(failure).__name__) from None
    except (TimeoutError, aiohttp.ClientError, OSError, json.JSONDecodeError, KeyError, TypeError) as failure:
        raise ResultUnknown(type(failure).__name__) from None


async def _closed(client: discord.Client) -> None:
    """Say goodbye, but not for longer than CLOSE_SECONDS: a dead connection would hold it back for ten."""
    with suppress(TimeoutError):
        await asyncio.wait_for(client.close(), CLOSE_SECONDS)
    await client.http.close()
    if ready := client._connection._ready_task:  # it would go on without a client
        ready.cancel()


class _Client(discord.Client):
    """Queues what is said in order, and holds it back until the channels have caught up."""

    def __init__(
        self, settings: Discord, intake: Intake, feedback: bool, heartbeat_timeout: float, queue_size: int
    ) -> None:
        intents = discord.Intents(
            guilds=True, messages=True, message_content=True, guild_reactions=feedback, dm_reactions=feedback
        )
        super().__init__(
            intents=intents,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            heartbeat_timeout=heartbeat_timeout,
            guild_ready_timeout=0.5,  # seconds without another server after which all are there; the default is 2
        )
        self._settings = settings
        self._intake = intake
        self._feedback = feedback
        self._events = EventQueue(queue_size)
        self._new_session = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._tree = offer_commands(self, settings, intake)

    async def on_message(self, message: discord.Message) -> None:
        """Something was said."""
        if said := self.parse(message):
            self._events.put(said)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Something reads otherwise now."""
        if said := self.parse(event.message):
            apply = partial(self._intake.edited, said)
            self._events.put(Change(said.channel, (said.message_id,), apply, rereadable=True))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Something is gone."""
        self._deleted(event.channel_id, [event.message_id])

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many are gone."""
        self._deleted(event.channel_id, event.message_ids)

    def _deleted(self, channel_id: int, message_ids: Iterable[int]) -> None:
        channel, ids = f"discord:{channel_id}", tuple(map(str, message_ids))
        self._events.put(Change(channel, ids, partial(self._intake.deleted, channel, ids)))

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Somebody reacted to something."""
        self._rated(event, _SCORES.get(str(event.emoji)))

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Somebody took it back."""
        self._rated(event, 0 if str(event.emoji) in _SCORES else None)

    def _rated(self, event: discord.RawReactionActionEvent, score: int | None) -> None:
        if score is not None and self.user and event.user_id != self.user.id:
            vote = Vote(f"discord:{event.channel_id}", str(event.message_id), str(event.user_id), score)
            self._events.put(Change(vote.channel, (vote.message_id,), partial(self._intake.rated, vote)))

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        """An event that can't be understood; the library would log what is in it."""
        kind = type(sys.exception()).__name__
        log.warning(Event("event failed", handler=event_method, kind=kind), exc_info=log.isEnabledFor(logging.DEBUG))

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

    async def on_guild_available(self, _guild: discord.Guild) -> None:
        """A server is back after an outage, or came late: what was said there must be asked for too."""
        if self.is_ready():
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
            await self._tree.sync_once()

    async def commit(self) -> None:
        """Commit what is said, in order; messages that wait together in one transaction."""
        while True:
            events = await self._events.get(BATCH)
            await self._caught_up.wait()
            for group in _grouped(events):
                if isinstance(group, list):
                    await self._intake.received(*group)
                else:
                    await group.apply()
            if dropped := self._events.take_dropped():
                await self._read_dropped(dropped)

    async def _read_dropped(self, dropped: Dropped) -> None:
        """Read what found no room in the queue from where it stands: each channel's history, each edited message."""
        for channel, first in dropped.first.items():
            await self._catch_up_in(int(channel.split(":")[1]), int(first) - 1)
        for channel, message_ids in dropped.edited.items():
            await self._read_again(channel, message_ids)
        for change in dropped.changes:
            await change.apply()

    async def _read_again(self, channel: str, message_ids: Iterable[str]) -> None:
        number = int(channel.split(":")[1])
        for message_id in message_ids:
            try:
                place: Any = self.get_channel(number) or await self.fetch_channel(number)
                message = self.parse(await place.fetch_message(int(message_id)))
            except discord.NotFound:
                await self._intake.deleted(channel, [message_id])
                continue
            except discord.Forbidden:
                continue
            if message:
                await self._intake.edited(message)

    async def note_connected(self) -> None:
        """Note now and then that everything was heard."""
        while True:
            await asyncio.sleep(CONNECTED_EVERY)
            if self._caught_up.is_set() and self._events.is_done:
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
            if isinstance(place, discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel)
            and place.permissions_for(place.guild.me).read_message_history
        }

    async def _catch_up_in(self, number: int, after: int) -> None:
        try:
            channel = self.get_channel(number) or await self.fetch_channel(number)
            if not isinstance(channel, discord.abc.Messageable):
                return
            page: list[IncomingMessage] = []
            async for message in channel.history(limit=None, after=discord.Object(after), oldest_first=True):
                page += filter(None, [self.parse(message)])
                if len(page) == BATCH:
                    await self._intake.received(*page)
                    page = []
            if page:
                await self._intake.received(*page)
        except (discord.Forbidden, discord.NotFound):
            log.warning(Event("channel can't be read any more", channel=f"discord:{number}"))

    def parse(self, message: discord.Message, *, own: bool = False) -> IncomingMessage | None:
        """What was said, where it is for us to hear. own: our own posts too."""
        return parse_message(message, self.user, self._settings, own=own) if self.user else None


def _grouped(events: Iterable[IncomingMessage | Change]) -> Iterator[list[IncomingMessage] | Change]:
    """Yield neighbouring messages together, everything else alone, in order."""
    messages: list[IncomingMessage] = []
    for event in events:
        if isinstance(event, IncomingMessage):
            messages.append(event)
            continue
        if messages:
            yield messages
            messages = []
        yield event
    if messages:
        yield messages
