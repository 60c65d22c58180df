"""The thread an engine runs in: requests join and leave between steps, and fail alone.

A thread that died is started again by the next request; nobody waits for a dead one."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from engine.base import EngineError, Piece, Request, token_budget
from engine.stepper import Delivery, Job, Stepper, StepResult, TokenLogProbs
from persona.encoding import Encoding, TextStream
from persona.events import Event

log = logging.getLogger("alterego.engine")

CLOSE_TIMEOUT_SECONDS = 10.0  # seconds a step may take to end when the engine is closed


class ThreadedEngine:
    """An engine whose model lives in a thread. open_stepper: makes the model; called again after a step failed."""

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
            self._ensure_thread()

    async def close(self) -> None:
        """Stop at the next step; requests that still wait get an error."""
        self._closing = True
        if thread := self._thread:
            self._waiting.put(None)
            await asyncio.to_thread(thread.join, CLOSE_TIMEOUT_SECONDS)
            if thread.is_alive():
                log.warning(Event("engine thread still busy", name=self.name, hint="left behind"))
                self._end_all(EngineError("the engine was closed"))

    async def generate(self, request: Request) -> AsyncGenerator[Piece]:
        """Yield the completion of `request`, piece by piece. Raises EngineError if it fails."""
        async with aclosing(self._deliveries(request)) as deliveries:
            async for delivery in deliveries:
                if isinstance(delivery, Piece):
                    yield delivery
                    if delivery.finish:
                        return

    async def next_token_log_probs(self, request: Request, count: int) -> Mapping[int, float]:
        """Return the log-probabilities of the `count` likeliest next ids. Raises EngineError if it fails, or takes longer
        than until the request's deadline."""
        async with aclosing(self._deliveries(request, count)) as deliveries:
            async for delivery in deliveries:
                if isinstance(delivery, TokenLogProbs):
                    return delivery.by_id
                break
        raise EngineError("the engine told no probabilities before the deadline")

    async def _deliveries(self, request: Request, likeliest: int = 0) -> AsyncGenerator[Piece | TokenLogProbs]:
        """Put a job into the thread and yield what it delivers; left, the job is cancelled."""
        deliveries: asyncio.Queue[Delivery] = asyncio.Queue()
        deliver = _thread_safe_put(asyncio.get_running_loop(), deliveries)
        max_new_tokens = token_budget(request, self._max_length, self._encoding.vocabulary)
        job = Job(request, max_new_tokens, TextStream(self._encoding), deliver, likeliest)
        self._submit(job)
        try:
            while True:
                delivery = await _next_delivery(request.deadline, deliveries)
                if isinstance(delivery, EngineError):
                    raise delivery
                yield delivery
        finally:
            job.cancelled = True

    def _submit(self, job: Job) -> None:
        with self._lock:
            if self._closing:
                raise EngineError("the engine is not running")
            self._ensure_thread()
            self._waiting.put(job)

    def _ensure_thread(self) -> None:
        """Start the thread if none runs. Called under the lock."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"{self.name} engine", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        reason = "the engine was closed"
        try:
            while not self._closing:
                self._run_once(self._stepper or self._open_stepper())
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

    def _open_stepper(self) -> Stepper:
        self._stepper = self._open()
        return self._stepper

    def _run_once(self, stepper: Stepper) -> None:
        """Admit waiting jobs, drop cancelled ones, step."""
        self._admit(stepper)
        for job in [job for job in self._running if job.cancelled]:
            self._remove(stepper, job)
        if not self._running:
            return
        try:
            for result in stepper.step():
                self._handle_result(stepper, result)
        except Exception as error:  # the model itself failed: all who run are told, and it is opened again
            log.exception(Event("step failed", kind=type(error).__name__, jobs=len(self._running)))
            self._suspects = len(self._running) if len(self._running) > 1 else 0
            self._stepper = None
            for job in self._running:
                job.end(EngineError(f"{type(error).__name__}: {error}"))
            self._running.clear()

    def _admit(self, stepper: Stepper) -> None:
        """Admit waiting jobs; with none running, block for one."""
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

    def _handle_result(self, stepper: Stepper, result: StepResult) -> None:
        """Deliver a step's tokens; nothing after a stop."""
        job = result.job
        try:
            last = self._deliver_tokens(result)
        except Exception as error:  # text that can't be made is that request's failure alone
            last = EngineError(f"{type(error).__name__}: {error}")
        if last:
            self._remove(stepper, job)
            job.end(last)

    def _deliver_tokens(self, result: StepResult) -> Delivery | None:
        if result.log_probs is not None:
            return TokenLogProbs(result.log_probs)
        for token in result.tokens:
            if token in self._stops:
                return Piece("", "stop")
            if text := result.job.text.push(token):
                result.job.deliver(Piece(text))
        if result.error:
            return EngineError(result.error)
        return Piece("", result.finish) if result.finish else None

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


async def _next_delivery(deadline: float | None, deliveries: "asyncio.Queue[Delivery]") -> Delivery:
    """Return the next delivery, or a deadline piece: a waiter never depends on the thread to be released."""
    try:
        async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
            return await deliveries.get()
    except TimeoutError:
        return Piece("", "deadline")


def _thread_safe_put(
    loop: asyncio.AbstractEventLoop, deliveries: asyncio.Queue[Delivery]
) -> Callable[[Delivery], object]:
    """Return a function that puts into a queue of the loop from another thread; a closed loop gets nothing."""

    def deliver(delivery: Delivery) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliveries.put_nowait, delivery)

    return deliver
