"""The connection to Discord: its events as messages and changes, queued, caught up and committed."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import discord

from bot.gateway import EXPIRES, IncomingMessage, Intake, Vote
from bot.gateways.discord.catch_up import CatchUp, Item
from bot.gateways.discord.event_queue import Change, DroppedEvents, EventQueue
from bot.gateways.discord.messages import listens_in, number_of, parse_message
from bot.gateways.discord.pages import pages_after
from bot.gateways.discord.slash_commands import offer_commands
from persona.events import Event
from persona.platforms import Discord

log = logging.getLogger("alterego.discord")

CONNECTED_EVERY = 30.0  # seconds between notes of having missed nothing
QUEUE = 10_000  # events that may wait to be committed; what comes on top is read from history afterwards
BATCH = 100  # messages that are committed in one transaction
_SCORES = {"👍": 1, "👎": -1}


class Client(discord.Client):
    """Queues what is said, and commits it in each channel's order."""

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
        self._sorted = asyncio.Event()  # it is known in which channels something may have been missed
        self._sessions = 0
        self._catch_up = CatchUp(self._pages, self._commit, intake.catching_up)
        self._tree = offer_commands(self, settings, intake)
        parsers = self._connection.parsers
        self._connection.parsers = {name: self._guarded(name, parse) for name, parse in parsers.items()}

    def parts(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What runs beside the connection."""
        return self.open_sessions(), self.commit(), self._catch_up.run(), self.note_connected()

    def _guarded(self, name: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
        """The library's parser of an event; one that it can't parse costs that event, and not the connection."""
        if name == "READY":
            return parse  # without it there is no session

        def guarded(data: Any) -> None:
            try:
                parse(data)
            except Exception as error:  # whatever the library makes of an event it doesn't know
                kind = type(error).__name__
                channel = f"discord:{data.get('channel_id', 0)}" if isinstance(data, dict) else "discord:0"
                log.warning(Event("event put away", name=name, channel=channel, kind=kind))
                self._events.put(Change(channel, (), partial(self._intake.quarantine, json.dumps(data), kind)))

        return guarded

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
        self._sessions += 1
        self._sorted.clear()

    async def on_resumed(self) -> None:
        """Discord has sent again what was missed."""
        self._sorted.set()

    async def on_ready(self) -> None:
        """A new session: what was said in between must be asked for. Not here: the library swallows what its events
        raise."""
        self._new_session.set()

    async def on_guild_available(self, _guild: discord.Guild) -> None:
        """A server is back after an outage, or came late: what was said there must be asked for too."""
        if self.is_ready():
            self._sorted.clear()
            self._new_session.set()

    async def open_sessions(self) -> None:
        """Find out, whenever a session is new, in which channels something may have been missed."""
        while True:
            await self._new_session.wait()
            self._new_session.clear()
            session = self._sessions
            assert self.user
            await self._intake.opened(f"discord:{self.user.id}", self.user.name)
            await self._expect_missed()
            if session == self._sessions and not self._new_session.is_set():
                self._sorted.set()

    async def _expect_missed(self) -> None:
        """Read a channel from its watermark on; one without, from when nothing was missed; none further back than an
        answer may be late. What a server says of its channels' last messages spares a request for the others."""
        known = {number_of(channel): int(mark) for channel, mark in (await self._intake.watermarks()).items()}
        since = await self._intake.connected_at()
        oldest = _snowflake(time.time() - EXPIRES)
        for number, newest in self._newest().items():
            after = known.pop(number, None) or (_snowflake(since) if since else newest)
            if newest > after:
                self._catch_up.expect(number, max(after, oldest), newest)
        for number, mark in known.items():  # private channels, and threads that were archived
            if isinstance(self.get_channel(number), discord.abc.PrivateChannel | None):
                self._catch_up.expect(number, max(mark, oldest))

    def _newest(self) -> dict[int, int]:
        """The last message of every channel that it listens to and may read."""
        channels = [*self.get_all_channels(), *(thread for guild in self.guilds for thread in guild.threads)]
        return {
            channel.id: channel.last_message_id
            for channel in channels
            if isinstance(channel, discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel)
            and channel.last_message_id
            and listens_in(channel, self._settings)
            and channel.permissions_for(channel.guild.me).read_message_history
        }

    async def _pages(self, number: int, after: int) -> AsyncIterator[Sequence[IncomingMessage]]:
        async for messages in pages_after(self, number, after, self._intake.quarantine):
            yield [parsed for message in messages if (parsed := self.parse(message))]

    async def commit(self) -> None:
        """Commit what is said; in a channel that is still catching up it waits."""
        while True:
            items = await self._events.get(BATCH)
            await self._sorted.wait()
            await self._commit([item for item in items if not self._catch_up.holds(item)])
            if dropped := self._events.take_dropped():
                await self._read_dropped(dropped)

    async def _commit(self, items: Sequence[Item]) -> None:
        """Commit in order; messages that stand together in one transaction."""
        for group in _grouped(items):
            if isinstance(group, list):
                await self._intake.received(*group)
            else:
                await group.apply()

    async def _read_dropped(self, dropped: DroppedEvents) -> None:
        """Read what found no room in the queue: each channel's history, each edited message."""
        known = await self._intake.watermarks()
        for channel, first in dropped.first.items():  # what still waits in the queue lies between the two
            after = int(first) - 1
            self._catch_up.expect(number_of(channel), min(after, int(known.get(channel, after))), int(first))
        for channel, message_ids in dropped.edited.items():
            await self._read_again(channel, message_ids)
        for change in dropped.changes:
            if not self._catch_up.holds(change):
                await change.apply()

    async def _read_again(self, channel: str, message_ids: Iterable[str]) -> None:
        number = number_of(channel)
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
        """Offer the commands once it has caught up; note now and then that nothing was missed."""
        while True:
            await self._sorted.wait()
            await self._catch_up.done.wait()
            if self._events.is_done:
                await self._intake.connected(time.time())
            await self._tree.sync_once()
            await asyncio.sleep(CONNECTED_EVERY)

    def parse(self, message: discord.Message, *, own: bool = False) -> IncomingMessage | None:
        """Return the message as ours; None if it is not for us. own: our own posts too."""
        return parse_message(message, self.user, self._settings, own=own) if self.user else None


def _grouped(events: Iterable[Item]) -> Iterator[list[IncomingMessage] | Change]:
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


def _snowflake(at: float) -> int:
    """The id that a message of that time (UTC seconds) would have at least."""
    return discord.utils.time_snowflake(datetime.fromtimestamp(at, UTC))
