"""Requests that arrive when they are due, and what became of each."""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import quantiles
from typing import Protocol

TIMEOUT = 3600.0


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: at so many seconds after the start, with these ids, for so many new tokens."""

    at: float
    ids: tuple[int, ...]
    tokens: int
    seed: int
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """When it arrived, when its tokens came, and when it was over: seconds of time.perf_counter."""

    arrived: float
    tokens: Sequence[float]
    done: float

    @property
    def to_first(self) -> float:
        """Time to first token."""
        return self.tokens[0] - self.arrived

    @property
    def latency(self) -> float:
        """Until all of it was there."""
        return self.done - self.arrived


class Contestant(Protocol):
    """Something that answers."""

    name: str

    async def open(self) -> None: ...

    async def answer(self, ask: Ask) -> list[float]:
        """When its tokens came."""

    async def close(self) -> None: ...


async def drive(contestant: Contestant, asks: Sequence[Ask]) -> list[Answer]:
    """Let all arrive when they are due, and wait for all."""
    start = time.perf_counter()

    async def one(ask: Ask) -> Answer:
        await asyncio.sleep(start + ask.at - time.perf_counter())
        arrived = time.perf_counter()
        tokens = await contestant.answer(ask)
        if len(tokens) != ask.tokens:
            raise RuntimeError(f"{contestant.name} gave {len(tokens)} tokens for {ask.tokens}")
        return Answer(arrived, tokens, time.perf_counter())

    async with asyncio.timeout(TIMEOUT):
        return list(await asyncio.gather(*(one(ask) for ask in asks)))


@dataclass(frozen=True, slots=True)
class Summary:
    """Of one run. tokens_per_second: from the first arrival to the last token."""

    tokens_per_second: float
    first_p50: float
    first_p95: float
    latency_p50: float
    latency_p95: float
    latency_p99: float


def summary(answers: Sequence[Answer]) -> Summary:
    """What users would say of it."""
    span = max(one.done for one in answers) - min(one.arrived for one in answers)
    first, latency = [one.to_first for one in answers], [one.latency for one in answers]
    return Summary(
        sum(len(one.tokens) for one in answers) / span,
        percentile(first, 50),
        percentile(first, 95),
        percentile(latency, 50),
        percentile(latency, 95),
        percentile(latency, 99),
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """Of any number of values."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[percent - 1]


def burst(count: int, vocabulary: int, tokens: Sequence[int] = (8, 16, 32, 64, 128), seed: int = 0) -> list[Ask]:
    """All at once: prompts of 20 to 200 tokens, replies of one of these lengths."""
    rng = random.Random(seed)
    return [
        Ask(0.0, prompt(rng, rng.randint(20, 200), vocabulary), rng.choice(tokens), number) for number in range(count)
    ]


def poisson(asks: Sequence[Ask], rate: float, seed: int = 0) -> list[Ask]:
    """The same, arriving at random: `rate` a second."""
    rng = random.Random(seed)
    arrivals = itertools.accumulate(rng.expovariate(rate) for _ in asks)
    return [replace(ask, at=at) for at, ask in zip(arrivals, asks, strict=True)]


def prompt(rng: random.Random, length: int, vocabulary: int) -> tuple[int, ...]:
    """Random ids, none of them the end of a turn."""
    return tuple(rng.randrange(300, vocabulary) for _ in range(length))
