"""Sessions with Discord's gateway: whether something may have been missed between two of them, and in which channels."""

import asyncio
import time
from datetime import UTC, datetime

import discord

from bot.gateway import Intake
from bot.gateways.discord.allowlist import listens_in
from bot.gateways.discord.catch_up import CatchUp
from bot.gateways.discord.messages import number_of
from persona.platforms import Discord

TRIES = 5  # to take a session up again; then a new one is begun, after a pause that grows


class Sessions:
    """Follows one client's sessions. is_known: set while all channels are known in which something may be missed.
    expires: seconds after which no message is answered any more."""

    def __init__(
        self, client: discord.Client, settings: Discord, intake: Intake, catch_up: CatchUp, expires: float
    ) -> None:
        self._client = client
        self._settings = settings
        self._intake = intake
        self._catch_up = catch_up
        self._expires = expires
        self._new = asyncio.Event()
        self._lost = 0  # times
        self._in_a_row = 0  # of them, with nothing in between
        self.is_known = asyncio.Event()

    def lost(self) -> None:
        """From here on messages may be missed: what comes is held back until they were looked for."""
        self._lost += 1
        self._in_a_row += 1
        self.is_known.clear()
        if self._in_a_row >= TRIES:
            self._new.set()

    def resumed(self) -> None:
        """Discord has sent again what was missed."""
        self._back()
        self.is_known.set()

    def renewed(self) -> None:
        """What was said in between must be asked for. Not at once: the library swallows what its events raise."""
        self._back()
        self.is_known.clear()
        self._new.set()

    def _back(self) -> None:
        if self._in_a_row:
            self._intake.reconnected()
        self._in_a_row = 0

    async def run(self) -> None:
        """Find out, whenever a session is new, in which channels something may have been missed; until cancelled. Raises
        ConnectionError if none can be taken up again: the library would try for ever, hundreds of times a second."""
        while True:
            await self._new.wait()
            self._new.clear()
            if self._in_a_row >= TRIES:
                raise ConnectionError("the session can't be taken up again")
            lost = self._lost
            assert self._client.user
            await self._intake.opened(f"discord:{self._client.user.id}", self._client.user.name)
            await self._expect_missed()
            if lost == self._lost and not self._new.is_set():
                self.is_known.set()

    async def _expect_missed(self) -> None:
        """Read a channel from its watermark on; one without, from when nothing was missed; none further back than an
        answer may be late. What a server says of its channels' last messages spares a request for the others."""
        known = {number_of(channel): int(mark) for channel, mark in (await self._intake.watermarks()).items()}
        since = await self._intake.connected_at()
        oldest = _snowflake(time.time() - self._expires)
        for number, newest in self._newest().items():
            after = known.pop(number, None) or (_snowflake(since) if since else newest)
            if newest > after:
                self._catch_up.expect(number, max(after, oldest), newest)
        for number, mark in known.items():  # private channels, and threads that were archived
            if isinstance(self._client.get_channel(number), discord.abc.PrivateChannel | None):
                self._catch_up.expect(number, max(mark, oldest))

    def _newest(self) -> dict[int, int]:
        """Return the last message of every channel that it listens to and may read."""
        client = self._client
        channels = [*client.get_all_channels(), *(thread for guild in client.guilds for thread in guild.threads)]
        return {
            channel.id: channel.last_message_id
            for channel in channels
            if isinstance(channel, discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel)
            and channel.last_message_id
            and listens_in(channel, self._settings)
            and channel.permissions_for(channel.guild.me).read_message_history
        }


def _snowflake(at: float) -> int:
    """Return the id that a message of that time (UTC seconds) would have at least."""
    return discord.utils.time_snowflake(datetime.fromtimestamp(at, UTC))
