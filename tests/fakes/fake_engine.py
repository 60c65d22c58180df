"""An engine whose words are given: for tests of everything but sampling. Takes its time, if told to."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from bot.engine.base import Piece, Request


class FakeEngine:
    """Says what `words` makes of a request. asked: the requests so far. free: while it is not set, answers wait."""

    name = "fake"

    def __init__(self, words: Callable[[Request], str] = lambda _: "sure") -> None:
        self.words = words
        self.asked: list[Request] = []
        self.free = asyncio.Event()
        self.free.set()

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to let go."""

    async def generate(self, request: Request) -> AsyncGenerator[Piece]:
        """The words, in one piece."""
        self.asked.append(request)
        await self.free.wait()
        yield Piece(self.words(request))
        yield Piece("", "stop")
