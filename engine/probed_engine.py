"""An engine that answers only once the sealed probe has shown that it uses the adapter.

A silently ignored adapter is a real failure of runtimes, and only people who know the voice would notice."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from itertools import takewhile

from engine.base import EngineError, InferenceEngine, Piece, Request, complete
from persona.bundle import Probe
from persona.encoding import Encoding
from persona.errors import PermanentError
from persona.events import Event
from persona.sampling import SamplingParams

log = logging.getLogger("alterego.engine")

PROBE_TIMEOUT_SECONDS = 60.0  # seconds for the probe; a large model on a small machine says a token a second


class ProbedEngine:
    """Asks `engine` the sealed probe at its start, and again after any failure: what comes back may be another model."""

    def __init__(self, engine: InferenceEngine, probe: Probe, encoding: Encoding) -> None:
        self._engine = engine
        self._probe = probe
        self._encoding = encoding
        self._is_verified = False
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        """That of the engine."""
        return self._engine.name

    async def start(self) -> None:
        """Start and ask. One that can't answer yet, such as a server that is away, is asked before it speaks. Raises
        PermanentError if the engine speaks like the base."""
        await self._engine.start()
        try:
            await self._check()
        except EngineError as error:
            log.warning(
                Event("engine unchecked", name=self.name, reason=error, hint="it is asked again before it speaks")
            )

    async def generate(self, request: Request) -> AsyncGenerator[Piece]:
        """Yield the completion of `request`, piece by piece."""
        await self._check()
        try:
            async with aclosing(self._engine.generate(request)) as pieces:
                async for piece in pieces:
                    yield piece
        except EngineError:
            self._is_verified = False
            raise

    async def next_token_log_probs(self, request: Request, count: int) -> Mapping[int, float]:
        """Return the log-probabilities of the `count` likeliest next ids."""
        await self._check()
        return await self._engine.next_token_log_probs(request, count)

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()

    async def _check(self) -> None:
        async with self._lock:
            if self._is_verified:
                return
            greedy = SamplingParams(temperature=0.0, top_p=1.0, min_p=0.0, max_new_tokens=len(self._probe.tuned))
            ask = Request(self._probe.ids, greedy, seed=0, deadline=time.monotonic() + PROBE_TIMEOUT_SECONDS)
            text, finish = await complete(self._engine, ask)
            if finish == "deadline":
                raise EngineError(f"no answer to the probe in {PROBE_TIMEOUT_SECONDS:.0f} seconds")
            if self._is_of_the_base(text):
                raise PermanentError(f"the {self.name} engine ignores the adapter; choose another [engine] kind")
            self._is_verified = True

    def _is_of_the_base(self, text: str) -> bool:
        """Return whether a text begins with the base's words up to where the adapter's part from them. A word that is neither's
        may begin with the same letter as the base's."""
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(self._probe.tuned, self._probe.base, strict=False))
        parting = sum(1 for _ in pairs) + 1
        tuned, base = (self._encoding.completion(ids[:parting]) for ids in (self._probe.tuned, self._probe.base))
        return text.startswith(base) and not (text.startswith(tuned) and len(tuned) > len(base))
