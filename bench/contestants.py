"""Who is measured: ways to serve a model that people use today, and our engines. Each computes in threads that end with it, so
that nobody's idle OpenMP pool slows down whoever comes after."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig, StoppingCriteria

from bench.load import Ask
from engine.backends.server_engine import ServerEngine
from engine.base import InferenceEngine, Request
from engine.own_thread import in_own_thread
from persona.encoding import Encoding
from persona.sampling import SamplingParams

SLOTS = 32
RULE = SamplingParams(temperature=0.8, top_p=0.95, top_k=0, min_p=0.02)
ROOT = Path(__file__).parent.parent


class _Clock(StoppingCriteria):  # type: ignore[misc]  # transformers has no types
    """Notes when each step of generate() was over, and never stops it."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> Any:
        self.times.append(time.perf_counter())
        return torch.zeros(len(input_ids), dtype=torch.bool)


def generate(model: Any, asks: list[Ask]) -> list[float]:
    """transformers' generate() for a batch, padded on the left; when each step was over."""
    longest, clock = max(len(ask.ids) for ask in asks), _Clock()
    torch.manual_seed(asks[0].seed)
    model.generate(
        torch.tensor([[0] * (longest - len(ask.ids)) + list(ask.ids) for ask in asks]),
        attention_mask=torch.tensor([[0] * (longest - len(ask.ids)) + [1] * len(ask.ids) for ask in asks]),
        do_sample=True,
        temperature=RULE.temperature,
        top_p=RULE.top_p,
        top_k=0,
        min_p=RULE.min_p,
        max_new_tokens=max(ask.tokens for ask in asks),
        eos_token_id=None,
        pad_token_id=0,
        stopping_criteria=[clock],
    )
    return clock.times


class Naive:
    """generate() for one request after the other: what most bots do."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """The model is there."""

    async def close(self) -> None:
        """Nothing to close."""

    async def answer(self, ask: Ask) -> list[float]:
        """When its turn comes."""
        async with self._turn:
            return await asyncio.to_thread(in_own_thread, partial(generate, self._model, [ask]))


class StaticBatch:
    """generate() for all who wait, up to 32; who comes later waits for the longest of them."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._waiting: list[tuple[Ask, asyncio.Future[list[float]]]] = []
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """The model is there."""

    async def close(self) -> None:
        """Nothing to close."""

    async def answer(self, ask: Ask) -> list[float]:
        """With its batch, at whose end it is delivered."""
        mine: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, mine))
        async with self._turn:
            if not mine.done():
                batch, self._waiting = self._waiting[:SLOTS], self._waiting[SLOTS:]
                asks = [one for one, _ in batch]
                times = await asyncio.to_thread(in_own_thread, partial(generate, self._model, asks))
                for one, future in batch:
                    future.set_result(times[: one.tokens])
        return mine.result()


class TransformersContinuous:
    """transformers' own continuous batching."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._number = 0

    async def open(self) -> None:
        """Start its thread."""
        settings = GenerationConfig(
            do_sample=True,
            temperature=RULE.temperature,
            top_p=RULE.top_p,
            top_k=0,
            min_p=RULE.min_p,
            max_new_tokens=256,
            eos_token_id=-1,
            pad_token_id=0,
        )
        batching = ContinuousBatchingConfig(
            num_blocks=256, max_batch_tokens=512, max_requests_per_batch=SLOTS, per_request_processors=True
        )
        self._manager = self._model.init_continuous_batching(settings, batching)
        self._manager.start()

    async def close(self) -> None:
        """Stop its thread."""
        await asyncio.to_thread(self._manager.stop, block=True, timeout=60)
        self._model.set_attn_implementation("sdpa")

    async def answer(self, ask: Ask) -> list[float]:
        """Streamed."""
        self._number += 1
        name, times, over = f"ask {self._number}", list[float](), asyncio.Event()

        def heard(output: Any) -> None:
            times.extend([time.perf_counter()] * (len(output.generated_tokens) - len(times)))
            if output.is_finished():
                over.set()

        self._manager.register_result_handler(name, heard)
        self._manager.add_request(list(ask.ids), name, max_new_tokens=ask.tokens, streaming=True)
        await over.wait()
        return times


class Ours:
    """One of our engines; every token of these models shows as a piece of text."""

    def __init__(self, name: str, make: Callable[[], InferenceEngine]) -> None:
        self.name = name
        self._make = make

    async def open(self) -> None:
        """Load and start it."""
        self.engine = await asyncio.to_thread(in_own_thread, self._make)
        await self.engine.start()

    async def close(self) -> None:
        """Let it go."""
        await self.engine.close()
        del self.engine

    async def answer(self, ask: Ask) -> list[float]:
        """Streamed."""
        rule = SamplingParams(RULE.temperature, RULE.top_p, RULE.top_k, RULE.min_p, max_new_tokens=ask.tokens)
        pieces = self.engine.generate(Request(ask.ids, rule, ask.seed, channel=ask.channel))
        return [time.perf_counter() async for piece in pieces if piece.text]


class LlamaCpp(Ours):
    """llama.cpp's server, through xllamacpp's HTTP and our server engine."""

    def __init__(self, name: str, gguf: Path, encoding: Encoding, context: int, longest: int) -> None:
        super().__init__(name, self._start)
        self._gguf, self._encoding, self._context, self._longest = gguf, encoding, context, longest

    def _start(self) -> InferenceEngine:
        command = [sys.executable, "-m", "tests.llama_server", str(self._gguf), "0", str(SLOTS), str(self._context)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout
        url = self._process.stdout.readline().strip() + "/v1"
        return ServerEngine(
            url, "bench", self._encoding, stops=frozenset({0}), max_length=self._longest, max_concurrent=SLOTS
        )

    async def close(self) -> None:
        """End the server."""
        await super().close()
        self._process.kill()
        self._process.communicate()
