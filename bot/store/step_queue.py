"""Steps that wait for a thread. Those that wait at the same time are carried out together, and whoever waits for them is
told in one go: under load the hop to a thread and back costs more than most steps."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

S = TypeVar("S")
Outcome = tuple[Any, BaseException | None]  # what a step returned, or raised
_Waiting = tuple["asyncio.Future[Any]", S]


class StepQueue(Generic[S]):
    """Threads that take steps from one queue.

    carry_out: gets steps in the order in which they came, and yields what became of each. together: at most so many at
    once, for nobody is told before all are done. rest: called when no step came for `rest_after` seconds after one.
    """

    def __init__(
        self,
        name: str,
        carry_out: Callable[[Sequence[S]], Iterable[Outcome]],
        *,
        together: int,
        threads: int = 1,
        rest: Callable[[], object] | None = None,
        rest_after: float = 0.1,
    ) -> None:
        self._carry_out = carry_out
        self._together = together
        self._rest = rest
        self._rest_after = rest_after
        self._queue: SimpleQueue[_Waiting[S] | None] = SimpleQueue()
        names = [f"{name}-{number}" for number in range(threads)]
        self._threads = [Thread(target=self._work, name=name, daemon=True) for name in names]
        self._started = self._closed = False

    async def run(self, step: S) -> Any:
        """Return what a step returns. One that has begun is finished even if its caller is cancelled; one that still
        waits for its turn is dropped with it."""
        if self._closed:
            raise RuntimeError("the store is closed")
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        waiting = asyncio.get_running_loop().create_future()
        self._queue.put((waiting, step))
        return await waiting

    def close(self) -> None:
        """Finish what waits, and end the threads."""
        self._closed = True
        if not self._started:
            return
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        taken = self._queue.get()
        while taken is not None:
            waiting = [taken]
            while len(waiting) < self._together and not self._queue.empty():
                following = self._queue.get()  # nobody else takes from a queue whose steps go together
                if following is None:
                    self._queue.put(None)
                    break
                waiting.append(following)
            wanted = [(future, step) for future, step in waiting if not future.cancelled()]
            if wanted:
                outcomes = list(self._carry_out([step for _, step in wanted]))
                self._tell([future for future, _ in wanted], outcomes)
            taken = self._following()

    def _following(self) -> _Waiting[S] | None:
        """Return the next step, after a rest if none comes soon."""
        if self._rest:
            try:
                return self._queue.get(timeout=self._rest_after)
            except Empty:
                self._rest()
        return self._queue.get()

    def _tell(self, futures: Sequence["asyncio.Future[Any]"], outcomes: Sequence[Outcome]) -> None:
        loop = futures[0].get_loop()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, futures, outcomes)


def _settle(futures: Sequence["asyncio.Future[Any]"], outcomes: Sequence[Outcome]) -> None:
    for future, (result, error) in zip(futures, outcomes, strict=True):
        if future.done():  # cancelled meanwhile
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
