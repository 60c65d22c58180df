"""The engine interface: token ids and sampling in, a stream of text and a finish reason out."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, Protocol

from persona.sampling import SamplingParams

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


async def complete(
    engine: InferenceEngine, request: Request, on_text: Callable[[str], object] | None = None
) -> tuple[str, Finish]:
    """Return the whole completion and why it ended. on_text: called with the text so far. Raises EngineError."""
    text = ""
    async with aclosing(engine.generate(request)) as pieces:
        async for piece in pieces:
            text += piece.text
            if piece.finish:
                return text, piece.finish
            if on_text:
                on_text(text)
    raise EngineError("the engine ended a request without saying why")
