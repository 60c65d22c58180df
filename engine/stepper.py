"""What runs in an engine's thread: jobs, and a model that advances all of them by a step."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.base import EngineError, Finish, Piece, Request
from persona.encoding import TextStream


@dataclass(frozen=True, slots=True)
class TokenLogProbs:
    """The log-probabilities (nats) of the likeliest next ids."""

    by_id: Mapping[int, float]


Delivery = Piece | TokenLogProbs | EngineError  # what a job delivers


@dataclass(eq=False, slots=True)
class Job:
    """A request in the thread. max_new_tokens: at most so many. deliver: called with each piece, from the thread. likeliest:
    if not 0, nothing is sampled: the log-probabilities of so many next ids are asked for."""

    request: Request
    max_new_tokens: int
    text: TextStream
    deliver: Callable[[Delivery], object]
    likeliest: int = 0
    cancelled: bool = False
    ended: bool = False

    def end(self, last: Delivery) -> None:
        """Deliver the last word; nothing comes after it."""
        if not self.ended:
            self.ended = True
            self.deliver(last)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step brought a job: new token ids, and why it ended, if it did. log_probs: of the likeliest next ids, for a
    job that asks for them; it has ended then."""

    job: Job
    tokens: list[int] = field(default_factory=list)
    finish: Finish | None = None
    error: str = ""
    log_probs: Mapping[int, float] | None = None


class Stepper(Protocol):
    """A model that advances all its jobs by a step. Used by one thread alone."""

    def admit(self, job: Job) -> None:
        """Take a job in. Raises for one that can't be run."""

    def step(self) -> Iterable[StepResult]:
        """Advance every job."""

    def drop(self, job: Job) -> None:
        """Forget a job and free what it held."""
