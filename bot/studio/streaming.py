"""From a voice that tells what it says so far to a stream of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from bot.tasks import end
from engine.voice import OnText

Lines = tuple[str, ...]


async def streamed(speak: Callable[[OnText], Awaitable[Lines]]) -> AsyncGenerator[Lines]:
    """Yield the lines as they come, and at last the whole. A reader that is slow misses steps, never the end; one that
    leaves ends the speaking."""
    texts: asyncio.Queue[Lines | None] = asyncio.Queue()
    speaking = asyncio.ensure_future(speak(texts.put_nowait))
    speaking.add_done_callback(lambda _: texts.put_nowait(None))
    try:
        while (lines := await texts.get()) is not None:
            while not texts.empty() and (newer := texts.get_nowait()) is not None:
                lines = newer
            if speaking.done():
                break
            yield lines
        yield await speaking
    finally:
        await end([speaking])
