"""What an engine is: token ids and sampling in, a stream of text and a finish reason out. Knows no channel library."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from persona.sampling import Sampling

Finish = Literal["stop", "length", "deadline"]


@dataclass(frozen=True, slots=True)
class Request:
    """One completion. ids: the prompt's token ids; never text, which would reopen the seam. channel: requests of one
    channel share their beginning. deadline: on time.monotonic()'s clock; what is there by then is all there will be.
    tuned: False asks for the base without the adapter, where the engine can."""

    ids: tuple[int, ...]
    sampling: Sampling
    seed: int
    channel: str = ""
    deadline: float | None = None
    tuned: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the completion's text. finish: why it ended, on the last piece alone."""

    text: str
    finish: Finish | None = None


class EngineError(Exception):
    """A request failed; others go on."""


class Engine(Protocol):
    """Runs one model. generate() may be called many times at once; leaving its iterator cancels the request."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None: ...

    def generate(self, request: Request) -> AsyncIterator[Piece]: ...

    async def close(self) -> None: ...


async def complete(engine: Engine, request: Request) -> tuple[str, Finish]:
    """The whole completion and why it ended. Raises EngineError."""
    text = ""
    async for piece in engine.generate(request):
        text += piece.text
        if piece.finish:
            return text, piece.finish
    raise EngineError("the engine ended a request without saying why")
