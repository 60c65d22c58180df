"""Edits that found no room in the queue: the messages are read anew, for as long as that takes. Outlives a connection."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp
import discord

from bot.backoff import Backoff
from bot.gateway import IncomingMessage, Intake
from bot.gateways.discord.messages import number_of
from persona.events import Event

log = logging.getLogger("alterego.discord")

Parse = Callable[[Sequence[discord.Message]], Awaitable[list[IncomingMessage]]]


class DroppedEdits:
    """The messages of all channels that are to be read anew. pauses: first and longest, in seconds, after a failure."""

    def __init__(self, pauses: tuple[float, float] = (1.0, 60.0)) -> None:
        self._pauses = pauses
        self._messages: dict[tuple[str, str], None] = {}  # channel and message id, in order
        self._wanted = asyncio.Event()

    def add(self, edited: Mapping[str, set[str]]) -> None:
        """Read these messages anew: ids by channel."""
        self._messages |= {(channel, message_id): None for channel, ids in edited.items() for message_id in sorted(ids)}
        self._wanted.set()

    async def read(self, client: discord.Client, intake: Intake, parse: Parse) -> None:
        """Read them, and what is still added; until cancelled. Raises what a commit raises."""
        backoff = Backoff(*self._pauses)
        while True:
            await self._wanted.wait()
            while self._messages:
                channel, message_id = next(iter(self._messages))
                try:
                    await _read(client, intake, parse, channel, message_id)
                except (discord.HTTPException, aiohttp.ClientError, OSError, ValueError) as error:
                    pause = backoff.pause()
                    again, reason = round(pause, 1), type(error).__name__
                    log.warning(Event("edit can't be read", channel=channel, reason=reason, again_in_seconds=again))
                    await asyncio.sleep(pause)
                    continue
                backoff.reset()
                self._messages.pop((channel, message_id), None)
            self._wanted.clear()


async def _read(client: discord.Client, intake: Intake, parse: Parse, channel: str, message_id: str) -> None:
    number = number_of(channel)
    try:
        place: Any = client.get_channel(number) or await client.fetch_channel(number)
        messages = await parse([await place.fetch_message(int(message_id))])
    except discord.NotFound:
        await intake.deleted(channel, [message_id])
        return
    except (discord.Forbidden, discord.InvalidData):
        return
    for message in messages:
        await intake.edited(message)
