"""An engine whose words are given: for tests of everything but sampling. Takes its time, or fails, if told to."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from itertools import islice

from engine.base import EngineError, Piece, Request


class FakeEngine:
    """Says what `words` makes of a request; by default nothing twice. asked: the requests so far, none where it runs for
    long and `remembers` is False. next_ids: what comes next, for who asks how likely somebody speaks; looked_at: those who
    asked. free: while it is not set, answers wait. failures: so many requests fail first.
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
        self.next_ids: Callable[[Request], Mapping[int, float]] = lambda _: {0: 0.0}
        self.looked_at: list[Request] = []

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to let go."""

    async def next_token_log_probs(self, request: Request, count: int) -> Mapping[int, float]:
        """The likeliest ids that `next_ids` makes of a request; none if it says nothing."""
        self.looked_at.append(request)
        return dict(islice(self.next_ids(request).items(), count))

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
