"""The thread that every engine in this process runs in: requests join and leave between steps, and fail alone."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from bot.engine.base import EngineError, Finish, Piece, Request
from persona.encoding import Encoding, TextStream

log = logging.getLogger("alterego.engine")


_Word = Piece | EngineError  # what a job delivers


@dataclass(eq=False, slots=True)
class Job:
    """A request in the thread. cap: at most so many new tokens. deliver: called with each piece, from the thread."""

    request: Request
    cap: int
    text: TextStream
    deliver: Callable[[_Word], object]
    cancelled: bool = False
    ended: bool = False

    def end(self, last: _Word) -> None:
        """Deliver the last word; nothing comes after it."""
        if not self.ended:
            self.ended = True
            self.deliver(last)


@dataclass(frozen=True, slots=True)
class Advance:
    """What one step brought a job: new token ids, and why it ended, if it did."""

    job: Job
    tokens: list[int] = field(default_factory=list)
    finish: Finish | None = None
    error: str = ""


class Stepper(Protocol):
    """A model that advances all its jobs by a step. Used by one thread alone."""

    def admit(self, job: Job) -> None:
        """Take a job in. Raises for one that can't be run."""

    def step(self) -> Iterable[Advance]:
        """Advance every job."""

    def drop(self, job: Job) -> None:
        """Forget a job and free what it held."""


class ThreadedEngine:
    """An engine whose model lives in a thread. open_stepper: makes the model; called again where a step failed."""

    def __init__(
        self,
        name: str,
        open_stepper: Callable[[], Stepper],
        encoding: Encoding,
        *,
        stops: frozenset[int],
        max_length: int,
        max_concurrent: int,
    ) -> None:
        self.name = name
        self._open = open_stepper
        self._stepper = open_stepper()
        self._encoding = encoding
        self._stops = stops | {encoding.end_of_turn}
        self._max_length = max_length
        self._max_concurrent = max_concurrent
        self._waiting: queue.Queue[Job | None] = queue.Queue()
        self._running: list[Job] = []
        self._thread: threading.Thread | None = None
        self._closing = False

    async def start(self) -> None:
        """Begin to take requests."""
        if self._thread is None:
            self._closing = False
            self._thread = threading.Thread(target=self._run, name=f"{self.name} engine", daemon=True)
            self._thread.start()

    async def close(self) -> None:
        """End at the next step; whoever still waits is told."""
        if thread := self._thread:
            self._closing = True
            self._waiting.put(None)
            await asyncio.to_thread(thread.join)
            self._thread = None

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        """The completion of `request`, piece by piece. Raises EngineError where it fails."""
        loop = asyncio.get_running_loop()
        words: asyncio.Queue[_Word] = asyncio.Queue()
        job = Job(request, self._cap(request), TextStream(self._encoding), _into(loop, words))
        if self._thread is None or not self._thread.is_alive():
            raise EngineError("the engine is not running")
        self._waiting.put(job)
        try:
            while True:
                word = await words.get()
                if isinstance(word, EngineError):
                    raise word
                yield word
                if word.finish:
                    return
        finally:
            job.cancelled = True

    def _cap(self, request: Request) -> int:
        room = self._max_length - len(request.ids)
        if room <= 0 or not request.ids:
            raise EngineError(f"a prompt of {len(request.ids)} tokens doesn't fit into {self._max_length}")
        if max(request.ids) >= self._encoding.vocabulary or min(request.ids) < 0:
            raise EngineError("the prompt holds ids that the tokenizer doesn't know")
        return min(request.sampling.max_new_tokens, room)

    def _run(self) -> None:
        while not self._closing:
            self._admit()
            self._leave()
            if self._running:
                self._step()
        for job in [*self._running, *self._left_waiting()]:
            job.end(EngineError("the engine was closed"))
        self._running.clear()

    def _admit(self) -> None:
        """Take in who waits; with nothing to do, wait for somebody."""
        while len(self._running) < self._max_concurrent:
            try:
                job = self._waiting.get(block=not self._running)
            except queue.Empty:
                return
            if job is None:
                return
            try:
                self._stepper.admit(job)
                self._running.append(job)
            except Exception as error:  # one request's failure is that request's alone
                job.end(EngineError(f"{type(error).__name__}: {error}"))

    def _leave(self) -> None:
        """Let go of whom nobody waits for, and of whose time is up."""
        now = time.monotonic()
        for job in list(self._running):
            late = job.request.deadline is not None and now > job.request.deadline
            if job.cancelled or late:
                self._remove(job, Piece("", "deadline"))

    def _step(self) -> None:
        try:
            for advance in self._stepper.step():
                self._advance(advance)
        except Exception as error:  # the model itself failed: all who run are told, and it is made anew
            log.exception(
                "step failed kind=%s jobs=%d; opening the model again", type(error).__name__, len(self._running)
            )
            for job in self._running:
                job.end(EngineError(f"{type(error).__name__}: {error}"))
            self._running.clear()
            self._stepper = self._open()

    def _advance(self, advance: Advance) -> None:
        job = advance.job
        for token in advance.tokens:
            if token in self._stops:
                return self._remove(job, Piece("", "stop"))
            if text := job.text.push(token):
                job.deliver(Piece(text))
        if advance.error:
            return self._remove(job, EngineError(advance.error))
        return self._remove(job, Piece("", advance.finish)) if advance.finish else None

    def _remove(self, job: Job, last: _Word) -> None:
        self._stepper.drop(job)
        self._running.remove(job)
        job.end(last)

    def _left_waiting(self) -> list[Job]:
        left: list[Job] = []
        while not self._waiting.empty():
            if job := self._waiting.get_nowait():
                left.append(job)
        return left


def _into(loop: asyncio.AbstractEventLoop, words: asyncio.Queue[_Word]) -> Callable[[_Word], object]:
    """A way from the thread into a queue of the loop; a loop that is gone wants nothing any more."""

    def deliver(word: _Word) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(words.put_nowait, word)

    return deliver
