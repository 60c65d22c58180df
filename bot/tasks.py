"""Ending tasks for good, and work that nobody waits for at the end."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")
_at_work: set[threading.Thread] = set()


async def end(tasks: Iterable["asyncio.Task[Any]"], patience: float = 1.0) -> None:
    """Cancel tasks until all have ended, ignoring their errors. patience: seconds for which each may clean up.

    One cancellation is not enough: asyncio.wait_for, which libraries use, swallows one that comes together with its
    result (before Python 3.12).
    """
    every = list(tasks)
    while pending := [task for task in every if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=patience)
    await asyncio.gather(*every, return_exceptions=True)


async def in_daemon_thread(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, called in a thread that does not keep the process alive: unlike asyncio.to_thread,
    whose threads are waited for at the end of the loop."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():  # cancelled meanwhile
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:  # whoever waits must be told
            error = caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    thread = threading.Thread(target=run, daemon=True)
    _at_work.add(thread)
    thread.start()
    result = await future
    _at_work.discard(thread)
    return result


def leave_if_busy(code: int) -> None:
    """End the process at once, with this exit code, if a daemon thread is still at work: a library that loads a model aborts
    when the interpreter is taken down under it. To be called when everything that must be saved is."""
    if any(thread.is_alive() for thread in _at_work):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
