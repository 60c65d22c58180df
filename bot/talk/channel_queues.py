"""One lane a channel: what happens in a channel happens in order; channels go side by side. Knows nothing of messages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.backoff import Backoff
from bot.tasks import end
from persona.events import Event

log = logging.getLogger("alterego.lanes")

Work = Callable[[], Awaitable[object]]


class ChannelQueues:
    """Runs work, lane by lane. Work that raises is tried again after a growing pause; its lane waits for it."""

    def __init__(self, first_pause: float = 1.0, longest_pause: float = 60.0) -> None:
        self._first, self._longest = first_pause, longest_pause
        self._queues: dict[str, asyncio.Queue[Work]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def put(self, lane: str, work: Work) -> None:
        """Do `work` after all that was put into `lane` before."""
        if lane not in self._queues:
            self._queues[lane] = asyncio.Queue()
            self._tasks[lane] = asyncio.create_task(self._run(lane), name=f"lane {len(self._tasks)}")
        self._queues[lane].put_nowait(work)

    async def settled(self, lane: str) -> None:
        """Wait until `lane` is empty."""
        if queue := self._queues.get(lane):
            await queue.join()

    async def drain(self, seconds: float) -> bool:
        """Finish what is in hand within `seconds`, then stop all lanes. What is left is left to the store. True if
        nothing was."""
        pending = [asyncio.create_task(queue.join()) for queue in self._queues.values()]
        done = not pending or not (await asyncio.wait(pending, timeout=seconds))[1]
        await end([*pending, *self._tasks.values()])
        return done

    async def _run(self, lane: str) -> None:
        queue = self._queues[lane]
        while True:
            work = await queue.get()
            await self._insist(work)
            queue.task_done()
            if queue.empty():  # nobody can have put anything since: there was no await
                del self._queues[lane], self._tasks[lane]
                return

    async def _insist(self, work: Work) -> None:
        backoff = Backoff(self._first, self._longest)
        while True:
            try:
                await work()
                return
            except Exception as error:  # the one broad catch of this loop: a lane must not die
                pause = backoff.pause()
                debug = log.isEnabledFor(logging.DEBUG)
                log.warning(
                    Event("work failed", kind=type(error).__name__, again_in_seconds=round(pause, 1)), exc_info=debug
                )
                await asyncio.sleep(pause)
