"""An engine whose words are given: for tests of everything but sampling. Takes its time, or fails, if told to."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from engine.base import EngineError, Piece, Request


class FakeEngine:
    """Says what `words` makes of a request; by default nothing twice. asked: the requests so far, none where it runs for
    long and `remembers` is False. free: while it is not set, answers wait. failures: so many requests fail first.
    seconds: what an answer takes."""

    name = "fake"

    def __init__(self, words: Callable[[Request], str] | None = None, seconds: float = 0.0) -> None:
        self.words = words or (lambda _: f"sure, number {len(self.asked)}")
        self.asked: list[Request] = []
        self.free = asyncio.Event()
        self.free.set()
        self.failures = 0
        self.remembers = True
        self.seconds = seconds

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to let go."""

    async def generate(self, request: Request) -> AsyncGenerator[Piece]:
        """The words, in one piece."""
        if self.failures:
            self.failures -= 1
            raise EngineError("told to fail")
        if self.remembers:
            self.asked.append(request)
        await self.free.wait()
        await asyncio.sleep(self.seconds)
        yield Piece(self.words(request))
        yield Piece("", "stop")
