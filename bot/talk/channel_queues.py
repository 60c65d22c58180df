"""A serial queue for each key: work of a channel is done in order, channels run side by side."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.backoff import Backoff
from bot.tasks import end
from persona.events import Event

log = logging.getLogger("alterego.channel_queues")

Work = Callable[[], Awaitable[object]]


class ChannelQueues:
    """Runs work, in order for each key. Work that raises is tried again after a growing pause; its queue waits."""

    def __init__(self, first_pause: float = 1.0, longest_pause: float = 60.0) -> None:
        self._first, self._longest = first_pause, longest_pause
        self._queues: dict[str, asyncio.Queue[Work]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def put(self, key: str, work: Work) -> None:
        """Do `work` after everything that was put under `key` before."""
        if key not in self._queues:
            self._queues[key] = asyncio.Queue()
            self._tasks[key] = asyncio.create_task(self._run(key), name=f"queue {len(self._tasks)}")
        self._queues[key].put_nowait(work)

    async def settled(self, key: str) -> None:
        """Wait until the queue of `key` is empty."""
        if queue := self._queues.get(key):
            await queue.join()

    async def drain(self, seconds: float) -> bool:
        """Finish the work within `seconds`, then stop all queues; the store keeps what is left. Returns True if nothing
        is."""
        pending = [asyncio.create_task(queue.join()) for queue in self._queues.values()]
        done = not pending or not (await asyncio.wait(pending, timeout=seconds))[1]
        await end([*pending, *self._tasks.values()])
        return done

    async def _run(self, key: str) -> None:
        queue = self._queues[key]
        while True:
            work = await queue.get()
            await self._insist(work)
            queue.task_done()
            if queue.empty():  # nobody can have put anything since: there was no await
                del self._queues[key], self._tasks[key]
                return

    async def _insist(self, work: Work) -> None:
        backoff = Backoff(self._first, self._longest)
        while True:
            try:
                await work()
                return
            except Exception as error:  # the one broad catch of this loop: a queue must not die
                pause = backoff.pause()
                debug = log.isEnabledFor(logging.DEBUG)
                log.warning(
                    Event("work failed", kind=type(error).__name__, again_in_seconds=round(pause, 1)), exc_info=debug
                )
                await asyncio.sleep(pause)
