"""The thread that every engine in this process runs in: requests join and leave between steps, and fail alone. A thread
that died is started again by the next request; nobody waits for a dead one."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable

from engine.base import EngineError, Piece, Request, cap
from engine.stepper import Advance, Job, Stepper, Word
from persona.encoding import Encoding, TextStream
from persona.events import Event

log = logging.getLogger("alterego.engine")

PATIENCE = 10.0  # seconds a step may take to end when the engine is closed


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
        self._stepper: Stepper | None = open_stepper()
        self._encoding = encoding
        self._stops = stops | {encoding.end_of_turn}
        self._max_length = max_length
        self._max_concurrent = max_concurrent
        self._waiting: queue.Queue[Job | None] = queue.Queue()
        self._running: list[Job] = []
        self._suspects = 0  # jobs that failed together; so many run one at a time, and the one at fault fails alone
        self._lock = threading.Lock()  # over the thread's birth and death, so that no job is put where nobody looks
        self._thread: threading.Thread | None = None
        self._closing = True

    async def start(self) -> None:
        """Begin to take requests."""
        with self._lock:
            self._closing = False
            self._revive()

    async def close(self) -> None:
        """End at the next step; whoever still waits is told."""
        self._closing = True
        if thread := self._thread:
            self._waiting.put(None)
            await asyncio.to_thread(thread.join, PATIENCE)
            if thread.is_alive():
                log.warning(Event("engine thread still busy", name=self.name, hint="left behind"))
                self._end_all(EngineError("the engine was closed"))

    async def generate(self, request: Request) -> AsyncGenerator[Piece]:
        """The completion of `request`, piece by piece. Raises EngineError where it fails."""
        words: asyncio.Queue[Word] = asyncio.Queue()
        deliver = _into(asyncio.get_running_loop(), words)
        most = cap(request, self._max_length, self._encoding.vocabulary)
        job = Job(request, most, TextStream(self._encoding), deliver)
        self._submit(job)
        try:
            while True:
                word = await _before(request.deadline, words)
                if isinstance(word, EngineError):
                    raise word
                yield word
                if word.finish:
                    return
        finally:
            job.cancelled = True

    def _submit(self, job: Job) -> None:
        with self._lock:
            if self._closing:
                raise EngineError("the engine is not running")
            self._revive()
            self._waiting.put(job)

    def _revive(self) -> None:
        """Start the thread where there is none. Called under the lock."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"{self.name} engine", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        reason = "the engine was closed"
        try:
            while not self._closing:
                self._turn(self._stepper or self._opened())
            if stepper := self._stepper:
                for job in self._running:
                    stepper.drop(job)
        except BaseException as error:  # the last catch of the thread: whoever waits for it must be told
            log.exception(Event("engine thread died", name=self.name, kind=type(error).__name__))
            self._stepper = None
            reason = f"the engine's thread died of {type(error).__name__}: {error}"
        with self._lock:
            self._thread = None
            self._end_all(EngineError(reason))

    def _opened(self) -> Stepper:
        self._stepper = self._open()
        return self._stepper

    def _turn(self, stepper: Stepper) -> None:
        """Admit, let go, step."""
        self._admit(stepper)
        for job in [job for job in self._running if job.cancelled]:
            self._remove(stepper, job)
        if not self._running:
            return
        try:
            for advance in stepper.step():
                self._advance(stepper, advance)
        except Exception as error:  # the model itself failed: all who run are told, and it is opened again
            log.exception(Event("step failed", kind=type(error).__name__, jobs=len(self._running)))
            self._suspects = len(self._running) if len(self._running) > 1 else 0
            self._stepper = None
            for job in self._running:
                job.end(EngineError(f"{type(error).__name__}: {error}"))
            self._running.clear()

    def _admit(self, stepper: Stepper) -> None:
        """Take in who waits; with nothing to do, wait for somebody."""
        while len(self._running) < (1 if self._suspects else self._max_concurrent):
            try:
                job = self._waiting.get(block=not self._running)
            except queue.Empty:
                return
            if job is None:
                return
            if job.cancelled:
                continue
            try:
                stepper.admit(job)
                self._running.append(job)
            except Exception as error:  # one request's failure is that request's alone
                job.end(EngineError(f"{type(error).__name__}: {error}"))

    def _advance(self, stepper: Stepper, advance: Advance) -> None:
        """Deliver what a step brought; nothing after a stop."""
        job = advance.job
        try:
            last = self._delivered(advance)
        except Exception as error:  # text that can't be made is that request's failure alone
            last = EngineError(f"{type(error).__name__}: {error}")
        if last:
            self._remove(stepper, job)
            job.end(last)

    def _delivered(self, advance: Advance) -> Word | None:
        for token in advance.tokens:
            if token in self._stops:
                return Piece("", "stop")
            if text := advance.job.text.push(token):
                advance.job.deliver(Piece(text))
        if advance.error:
            return EngineError(advance.error)
        return Piece("", advance.finish) if advance.finish else None

    def _remove(self, stepper: Stepper, job: Job) -> None:
        stepper.drop(job)
        self._running.remove(job)
        self._suspects = max(0, self._suspects - 1)

    def _end_all(self, last: EngineError) -> None:
        for job in self._running:
            job.end(last)
        self._running.clear()
        while not self._waiting.empty():
            if left := self._waiting.get_nowait():
                left.end(last)


async def _before(deadline: float | None, words: "asyncio.Queue[Word]") -> Word:
    """The next word, or the deadline's: a waiter depends on no thread to be let go."""
    try:
        async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
            return await words.get()
    except TimeoutError:
        return Piece("", "deadline")


def _into(loop: asyncio.AbstractEventLoop, words: asyncio.Queue[Word]) -> Callable[[Word], object]:
    """A way from the thread into a queue of the loop; a loop that is gone wants nothing any more."""

    def deliver(word: Word) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(words.put_nowait, word)

    return deliver
