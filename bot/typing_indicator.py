"""The typing indicator, which every platform forgets after some seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def repeated(
    show: Callable[[], Awaitable[object]], every: float, failures: tuple[type[Exception], ...]
) -> AsyncIterator[None]:
    """Call `show` now and every so many seconds while the block runs; a failure ends the calls, and nothing else."""

    async def insist() -> None:
        with suppress(*failures):
            while True:
                await show()
                await asyncio.sleep(every)

    task = asyncio.create_task(insist())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
