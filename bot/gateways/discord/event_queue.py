"""Events that wait to be committed. Bounded: what finds no room is dropped, and remembered as to be read later."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.gateway import IncomingMessage
from persona.events import Event

log = logging.getLogger("alterego.discord")


@dataclass(frozen=True, slots=True)
class Change:
    """Something other than a new message. message_ids: what it changed. apply: commits it. rereadable: whether the
    message itself shows the change, so that a dropped one can be read anew; else it is kept."""

    channel: str
    message_ids: tuple[str, ...]
    apply: Callable[[], Awaitable[None]]
    rereadable: bool = False


@dataclass(slots=True)
class DroppedEvents:
    """The events that found no room. first: channel -> the lowest id of a dropped message. edited: channel -> ids of
    messages to read again. changes: those that can't be read again."""

    first: dict[str, str] = field(default_factory=dict)
    edited: dict[str, set[str]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.first or self.edited or self.changes)


class EventQueue:
    """A queue of at most `most` events that knows what it dropped.

    Once a message of a channel is dropped, so is all that is said there until `take_dropped`: a newer message that was
    committed would move the channel's watermark past it.
    """

    def __init__(self, most: int, on_drop: Callable[[], None] = lambda: None) -> None:
        self._most = most
        self._on_drop = on_drop
        self._events: asyncio.Queue[IncomingMessage | Change] = asyncio.Queue(most)
        self._dropped = DroppedEvents()

    def put(self, event: IncomingMessage | Change) -> None:
        """Keep an event if there is room, and note it as dropped if there is none."""
        if isinstance(event, IncomingMessage) and event.channel in self._dropped.first:
            self._drop(event)
            return
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            self._drop(event)

    async def get(self, most: int) -> list[IncomingMessage | Change]:
        """Wait for an event. Returns it and those behind it, at most so many."""
        events = [await self._events.get()]
        while len(events) < most and not self._events.empty():
            events.append(self._events.get_nowait())
        return events

    @property
    def is_done(self) -> bool:
        """Whether nothing waits and nothing was dropped."""
        return self._events.empty() and not self._dropped

    def take_dropped(self) -> DroppedEvents:
        """Return what was dropped once half of the queue is free again, and let its channels through; before that, nothing.
        Not once it is empty: under load it never is."""
        if self._events.qsize() > self._most // 2:
            return DroppedEvents()
        dropped, self._dropped = self._dropped, DroppedEvents()
        return dropped

    def _drop(self, event: IncomingMessage | Change) -> None:
        self._on_drop()
        if not self._dropped:
            log.warning(Event("dropped", reason="queue-full", hint="reading it from history later"))
        if isinstance(event, IncomingMessage):
            first = self._dropped.first.get(event.channel, event.message_id)
            self._dropped.first[event.channel] = min(first, event.message_id, key=int)  # events may come out of order
        elif event.rereadable:
            self._dropped.edited.setdefault(event.channel, set()).update(event.message_ids)
        else:
            self._dropped.changes.append(event)
