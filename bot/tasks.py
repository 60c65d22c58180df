"""Ending tasks for good."""

import asyncio
from collections.abc import Iterable
from typing import Any


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
