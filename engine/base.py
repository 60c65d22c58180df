"""The engine interface: token ids and sampling in, a stream of text and a finish reason out."""

import math
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from persona.sampling import SamplingParams

LIKELIEST = 16  # next ids whose log-probabilities are asked for; a server may have a bound of 20

Finish = Literal["stop", "length", "deadline"]


@dataclass(frozen=True, slots=True)
class Request:
    """One completion. ids: the prompt's token ids; never text, which would reopen the seam. channel: requests of one
    channel share their beginning. deadline: on time.monotonic()'s clock. tuned: False asks for the base without the
    adapter, if the engine can."""

    ids: tuple[int, ...]
    sampling: SamplingParams
    seed: int
    channel: str = ""
    deadline: float | None = None
    tuned: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of a completion's text. finish: why it ended, on the last piece alone."""

    text: str
    finish: Finish | None = None


class EngineError(Exception):
    """A request failed; others go on."""


class InferenceEngine(Protocol):
    """Runs one model. generate() may be called many times at once; leaving its iterator cancels the request."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None: ...

    async def next_token_log_probs(self, request: Request, count: int) -> Mapping[int, float]:
        """Return the log-probabilities (nats) of the `count` likeliest ids after the prompt, as the model has them: the
        request's sampling changes nothing. Raises EngineError."""
        ...

    def generate(self, request: Request) -> AsyncGenerator[Piece]: ...

    async def close(self) -> None: ...


def token_budget(request: Request, max_length: int, vocabulary: int) -> int:
    """Return how many new tokens a request may have. Raises EngineError for a prompt that leaves no room, or holds ids
    that the tokenizer doesn't know."""
    room = max_length - len(request.ids)
    if room <= 0 or not request.ids:
        raise EngineError(f"a prompt of {len(request.ids)} tokens doesn't fit into {max_length}")
    if max(request.ids) >= vocabulary or min(request.ids) < 0:
        raise EngineError("the prompt holds ids that the tokenizer doesn't know")
    return min(request.sampling.max_new_tokens, room)


async def log_probability(
    engine: InferenceEngine, request: Request, continuation: Sequence[int], *, least: float = -math.inf
) -> float:
    """Return the log-probability (nats) that `continuation` follows the request's prompt: the sum over its ids. least: what
    falls below it is no longer looked at, and its bound is returned. An id that is not among the LIKELIEST is as likely as
    the last of them, at most. Raises EngineError."""
    total = 0.0
    for place, token in enumerate(continuation):
        if total <= least:
            break
        asked = replace(request, ids=(*request.ids, *continuation[:place]))
        likeliest = await engine.next_token_log_probs(asked, LIKELIEST)
        total += likeliest.get(token, min(likeliest.values()))
    return total


async def complete(
    engine: InferenceEngine,
    request: Request,
    on_text: Callable[[str], object] | None = None,
    ended: Callable[[str], str | None] = lambda _: None,
) -> tuple[str, Finish]:
    """Return the whole completion and why it ended. on_text: called with the text so far. ended: given the text so far,
    returns what is said of it once it is at its end; nothing more is sampled then. Raises EngineError."""
    text = ""
    async with aclosing(engine.generate(request)) as pieces:
        async for piece in pieces:
            text += piece.text
            if (said := ended(text)) is not None:
                return said, "stop"
            if piece.finish:
                return text, piece.finish
            if on_text:
                on_text(text)
    raise EngineError("the engine ended a request without saying why")
