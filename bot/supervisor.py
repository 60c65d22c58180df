"""Keeps the gateways running, each on its own: restarts one that ended after a growing pause, and parks one that a
restart can't help."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from bot.backoff import Backoff
from bot.gateway import Gateway, Intake
from bot.tasks import end
from persona.errors import PermanentError
from persona.events import Event

log = logging.getLogger("alterego.supervisor")

State = Literal["starting", "running", "pausing", "parked", "ended"]


class Supervisor:
    """Runs gateways. intake_of: what a gateway tells its messages to. was_open: whether one has been connected since the
    start. first_pause, longest_pause: seconds between two tries to connect; the pause begins anew after a run that held
    longer than the longest (Discord allows 1,000 identifies a day)."""

    def __init__(
        self,
        gateways: Sequence[Gateway],
        intake_of: Callable[[Gateway], Intake],
        was_open: Callable[[Gateway], bool],
        *,
        first_pause: float = 1.0,
        longest_pause: float = 300.0,
    ) -> None:
        self._gateways = gateways
        self._intake_of = intake_of
        self._was_open = was_open
        self._first, self._longest = first_pause, longest_pause
        self._tasks: dict[asyncio.Task[None], Gateway] = {}
        self.states: dict[str, State] = {gateway.platform: "starting" for gateway in gateways}

    def start(self) -> None:
        """Run all of them."""
        self._tasks = {
            asyncio.create_task(self._insist(gateway), name=gateway.platform): gateway for gateway in self._gateways
        }

    async def until_over(self, stop: "asyncio.Task[bool]", *, first_ends: bool = False) -> None:
        """Return once stopped, when none is left, or, with first_ends, when one has ended. Raises PermanentError for
        one that never connected, and for the last one."""
        left = set(self._tasks)
        while left:
            done, _ = await asyncio.wait({*left, stop}, return_when=asyncio.FIRST_COMPLETED)
            if stop in done:
                return
            for task in [task for task in left if task in done]:
                left.discard(task)
                fault = task.exception()
                if fault is None and first_ends:
                    return
                if fault and (not left or not self._was_open(self._tasks[task])):
                    raise fault
                if fault:
                    log.error(Event("parked", gateway=task.get_name(), reason=fault, hint="the others go on"))

    async def stop(self) -> None:
        """End all of them."""
        await end(self._tasks, patience=5.0)

    async def _insist(self, gateway: Gateway) -> None:
        backoff = Backoff(self._first, self._longest)
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self.states[gateway.platform] = "running"
            try:
                await gateway.run(self._intake_of(gateway))
                self.states[gateway.platform] = "ended"
                return
            except PermanentError:
                self.states[gateway.platform] = "parked"
                raise
            except Exception as error:  # the one broad catch of this loop: a gateway starts again on anything
                if loop.time() - began > self._longest:
                    backoff.reset()
                pause = backoff.pause()
                error_type, debug = type(error).__name__, log.isEnabledFor(logging.DEBUG)
                seconds = round(pause, 1)
                ended = Event("gateway ended", gateway=gateway.platform, kind=error_type, again_in_seconds=seconds)
                log.warning(ended, exc_info=debug)
            self.states[gateway.platform] = "pausing"
            await asyncio.sleep(pause)
            self._intake_of(gateway).reconnected()
