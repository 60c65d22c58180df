"""Catching up beside live talk: channels in which something may have been missed are read up to now, and what is said in
them meanwhile is held back. All other channels go on. Knows nothing of discord.py's events."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import aiohttp
import discord

from bot.backoff import Backoff
from bot.gateway import IncomingMessage
from bot.gateways.discord.event_queue import Change
from bot.gateways.discord.messages import number_of
from bot.tasks import end
from persona.events import Event

log = logging.getLogger("alterego.discord")

READERS = 8  # channels read at the same time; Discord allows 50 requests a second in all
TRIES = 4  # of a page that fails; the library itself makes five of each
MOST_HELD = 10_000  # messages; what comes on top is read from history as well

Item = IncomingMessage | Change
Read = Callable[[int, int], AsyncIterator[Sequence[IncomingMessage]]]  # channel, after
Commit = Callable[[Sequence[Item]], Awaitable[None]]


@dataclass(slots=True)
class Unread:
    """A channel that is to be read. after: the id from which on. newest: of its last message; 0 if nobody knows.
    held: what was said since. urgent: somebody there called. again: more must be read than was there at first."""

    after: int
    newest: int
    held: list[Item] = field(default_factory=list)
    urgent: bool = False
    again: bool = False
    in_hand: bool = False


class CatchUp:
    """Reads channels, the called and the newest first. read: yields pages. commit: stores messages and changes."""

    def __init__(
        self, read: Read, commit: Commit, progress: Callable[[int], None], pauses: tuple[float, float] = (1.0, 60.0)
    ) -> None:
        self._read = read
        self._commit = commit
        self._progress = progress
        self._pauses = pauses
        self._unread: dict[int, Unread] = {}
        self._held = 0
        self._wanted = asyncio.Event()
        self.done = asyncio.Event()
        self.done.set()

    def expect(self, number: int, after: int, newest: int = 0) -> None:
        """Hold back what is said in a channel until it was read from `after` on. Raises nothing, awaits nothing."""
        if known := self._unread.get(number):
            known.after, known.again = min(known.after, after), known.in_hand
        else:
            self._unread[number] = Unread(after, newest)
        self.done.clear()
        self._wanted.set()
        self._progress(len(self._unread))

    def holds(self, item: Item) -> bool:
        """Return whether the channel of a message or change is still to be read; then it was held back."""
        unread = self._unread.get(number_of(item.channel))
        if unread is None:
            return False
        if isinstance(item, IncomingMessage):
            unread.urgent |= item.mention or item.reply or item.is_dm
            if self._held >= MOST_HELD or (unread.again and unread.in_hand):
                unread.again = True  # and nothing newer is kept: history has it all
                return True
        unread.held.append(item)
        self._held += 1
        return True

    async def run(self) -> None:
        """Read what is expected; until cancelled. Raises what a commit raises."""
        readers = [asyncio.create_task(self._work()) for _ in range(READERS)]
        try:
            await asyncio.gather(*readers)
        finally:
            await end(readers)

    async def _work(self) -> None:
        while True:
            waiting = [number for number, unread in self._unread.items() if not unread.in_hand]
            if not waiting:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            number = max(waiting, key=lambda number: (self._unread[number].urgent, self._unread[number].newest))
            unread = self._unread[number]
            unread.in_hand = True
            await self._catch_up(number, unread)
            await self._release(number, unread)

    async def _catch_up(self, number: int, unread: Unread) -> None:
        """Read a channel to its end; one that can't be read is named and skipped."""
        backoff, tries = Backoff(*self._pauses), TRIES
        while True:
            unread.again = False
            try:
                async for messages in self._read(number, unread.after):
                    if messages:
                        await self._commit(messages)
                        unread.after = int(messages[-1].message_id)
                if not unread.again:
                    return
                continue
            except (discord.Forbidden, discord.NotFound, discord.InvalidData) as error:
                reason, passes = type(error).__name__, False
            except discord.HTTPException as error:
                reason, passes = str(error.status), error.status >= 500 or error.status == 429
            except (aiohttp.ClientError, OSError, ValueError) as error:
                reason, passes = type(error).__name__, True
            tries -= 1
            if not passes or not tries:
                hint = "what was said there meanwhile is skipped"
                log.warning(Event("channel can't be read", channel=f"discord:{number}", reason=reason, hint=hint))
                return
            pause = backoff.pause()
            again = round(pause, 1)
            log.warning(Event("history failed", channel=f"discord:{number}", reason=reason, again_in_seconds=again))
            await asyncio.sleep(pause)

    async def _release(self, number: int, unread: Unread) -> None:
        """Commit what was held back, then let the channel go on."""
        while unread.held:
            items, unread.held = unread.held, []
            self._held -= len(items)
            await self._commit(items)
        unread.in_hand = False
        if not unread.again:  # else a new session, or an overflow, came while this was committed
            del self._unread[number]
        self._progress(len(self._unread))
        if not self._unread:
            self.done.set()
