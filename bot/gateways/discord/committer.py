"""From Discord's queued events to committed ones: in each channel's order, what found no room read again."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from bot.gateway import IncomingMessage, Intake
from bot.gateways.discord.catch_up import CatchUp, Item
from bot.gateways.discord.dropped_edits import DroppedEdits
from bot.gateways.discord.event_queue import Change, DroppedEvents, EventQueue
from bot.gateways.discord.messages import number_of

BATCH = 100  # messages that are committed in one transaction


class Committer:
    """Commits what is said. may_commit: set while it is known what was missed."""

    def __init__(
        self,
        intake: Intake,
        events: EventQueue,
        catch_up: CatchUp,
        edits: DroppedEdits,
        may_commit: asyncio.Event,
    ) -> None:
        self._intake = intake
        self._events = events
        self._catch_up = catch_up
        self._edits = edits
        self._may_commit = may_commit

    async def run(self) -> None:
        """Commit events until cancelled; in a channel that is still catching up they wait."""
        while True:
            items = await self._events.get(BATCH)
            await self._may_commit.wait()
            await commit(self._intake, [item for item in items if not self._catch_up.holds(item)])
            if dropped := self._events.take_dropped():
                await self._read_dropped(dropped)

    async def _read_dropped(self, dropped: DroppedEvents) -> None:
        """Read what found no room in the queue: each channel's history, each edited message."""
        known = await self._intake.watermarks()
        for channel, first in dropped.first.items():  # what still waits in the queue lies between the two
            after = int(first) - 1
            self._catch_up.expect(number_of(channel), min(after, int(known.get(channel, after))), int(first))
        self._edits.add(dropped.edited)
        for change in dropped.changes:
            if not self._catch_up.holds(change):
                await change.apply()


async def commit(intake: Intake, items: Sequence[Item]) -> None:
    """Commit in order; messages that stand together in one transaction."""
    for group in _grouped(items):
        if isinstance(group, list):
            await intake.received(*group)
        else:
            await group.apply()


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
