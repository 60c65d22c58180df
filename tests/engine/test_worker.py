"""The engine's thread: whoever waits is always told, one request's failure is its own, and a dead thread comes back."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from engine.base import EngineError, Request, complete
from engine.stepper import Job, StepResult
from engine.worker import ThreadedEngine
from persona.sampling import SamplingParams
from tests.engine.stepping import ENCODING

WORD = ENCODING.encode("a")
POISON, HOPELESS = (2,), (3,)  # prompts


class Counting:
    """A stepper that says the same for everybody, a token a step, until the cap. Some prompts break it."""

    def __init__(self) -> None:
        self.jobs: dict[Job, int] = {}
        self.most = 0
        self.slow = 0.0  # seconds a step
        self.free = threading.Event()  # while it is not set, a step takes for ever
        self.free.set()

    def admit(self, job: Job) -> None:
        if job.request.ids == HOPELESS:
            raise ValueError("can't be run")
        self.jobs[job] = 0

    def step(self) -> Iterator[StepResult]:
        self.free.wait()
        time.sleep(self.slow)
        self.most = max(self.most, len(self.jobs))
        if any(job.request.ids == POISON for job in self.jobs):
            raise RuntimeError("the model broke")
        for job in list(self.jobs):
            self.jobs[job] += 1
            yield StepResult(job, WORD, "length" if self.jobs[job] >= job.max_new_tokens else None)

    def drop(self, job: Job) -> None:
        self.jobs.pop(job, None)


class Opener:
    """Opens steppers, keeps them, and fails as often as it is told."""

    def __init__(self) -> None:
        self.opened: list[Counting] = []
        self.failures: list[BaseException] = []

    def __call__(self) -> Counting:
        if self.failures:
            raise self.failures.pop()
        self.opened.append(Counting())
        return self.opened[-1]


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
async def engine(opener: Opener) -> AsyncIterator[ThreadedEngine]:
    made = ThreadedEngine("counting", opener, ENCODING, stops=frozenset(), max_length=256, max_concurrent=4)
    await made.start()
    yield made
    for stepper in opener.opened:
        stepper.free.set()
    await made.close()


def request(tokens: int = 3, ids: tuple[int, ...] = (5, 6), deadline: float | None = None) -> Request:
    return Request(ids, SamplingParams(max_new_tokens=tokens), seed=0, deadline=deadline)


async def test_requests_join_and_leave_between_steps(engine: ThreadedEngine, opener: Opener) -> None:
    """More than run at once; short ones leave early."""
    found = await asyncio.gather(*(complete(engine, request(n)) for n in range(1, 11)))
    assert found == [("a" * n, "length") for n in range(1, 11)]
    assert opener.opened[0].most == 4
    assert not opener.opened[0].jobs


async def test_one_request_s_failure_is_its_own(engine: ThreadedEngine, opener: Opener) -> None:
    """What can't even be taken in fails alone, and the model is not opened again for it."""
    found = await asyncio.gather(
        complete(engine, request()), complete(engine, request(ids=HOPELESS)), return_exceptions=True
    )
    assert found[0] == ("aaa", "length")
    assert isinstance(found[1], EngineError)
    assert "can't be run" in str(found[1])
    assert len(opener.opened) == 1


async def test_after_a_common_failure_the_one_at_fault_fails_alone(engine: ThreadedEngine, opener: Opener) -> None:
    """A request that breaks the model takes the others of its batch along once, not again and again."""
    many = [request(), request(ids=POISON), request(), request()]
    first = await asyncio.gather(*(complete(engine, one) for one in many), return_exceptions=True)
    assert sum(isinstance(one, EngineError) for one in first) >= 2
    second = await asyncio.gather(*(complete(engine, one) for one in many), return_exceptions=True)
    assert [one if isinstance(one, tuple) else "failed" for one in second] == [
        ("aaa", "length"),
        "failed",
        ("aaa", "length"),
        ("aaa", "length"),
    ]


async def test_a_dead_thread_tells_its_waiters_and_comes_back(engine: ThreadedEngine, opener: Opener) -> None:
    """The model breaks and can't be opened again: whoever waits is told; the next request finds a new thread."""
    opener.failures = [SystemError("no device")] * 3
    with pytest.raises(EngineError, match="the model broke"):
        await complete(engine, request(ids=POISON))
    while opener.failures:
        with pytest.raises(EngineError, match="the engine's thread died of SystemError: no device"):
            await complete(engine, request())
    assert await complete(engine, request()) == ("aaa", "length")


async def test_a_deadline_lets_go_of_whom_the_model_keeps_waiting(engine: ThreadedEngine, opener: Opener) -> None:
    """A step that never ends; and a place in the queue that never comes."""
    opener.opened[0].free.clear()
    late = [request(deadline=time.monotonic() + 0.1) for _ in range(9)]
    found = await asyncio.gather(*(complete(engine, one) for one in late))
    assert found == [("", "deadline")] * 9
    opener.opened[0].free.set()
    assert await complete(engine, request()) == ("aaa", "length")
    assert opener.opened[0].most <= 4


async def test_what_came_before_the_deadline_is_kept(engine: ThreadedEngine, opener: Opener) -> None:
    """With the deadline as its finish."""
    opener.opened[0].slow = 0.01
    stream = engine.generate(request(200, deadline=time.monotonic() + 0.3))
    pieces = [await anext(stream)]
    opener.opened[0].free.clear()
    pieces += [piece async for piece in stream]
    assert set("".join(piece.text for piece in pieces)) == {"a"}
    assert pieces[-1].finish == "deadline"


async def test_leaving_the_stream_frees_the_slot(engine: ThreadedEngine, opener: Opener) -> None:
    """Those who wait for a place get it at the next step."""
    streams = [engine.generate(request(250)) for _ in range(4)]
    for stream in streams:
        await anext(stream)
        await stream.aclose()
    assert await complete(engine, request()) == ("aaa", "length")
    assert not opener.opened[0].jobs


async def test_a_cancelled_task_frees_the_slot(engine: ThreadedEngine, opener: Opener) -> None:
    """As a daemon that stops does."""
    opener.opened[0].free.clear()
    task = asyncio.create_task(complete(engine, request(250)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    opener.opened[0].free.set()
    assert await complete(engine, request()) == ("aaa", "length")
    assert not opener.opened[0].jobs


async def test_closing_tells_whoever_waits(engine: ThreadedEngine, opener: Opener) -> None:
    """Those who run and those in the queue; afterwards nobody is taken in until it is started again."""
    opener.opened[0].free.clear()
    tasks = [asyncio.create_task(complete(engine, request(100))) for _ in range(6)]
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0.05)
    opener.opened[0].free.set()
    await closing
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {str(one) for one in found} == {"the engine was closed"}
    with pytest.raises(EngineError, match="not running"):
        await complete(engine, request())
    await engine.start()
    assert await complete(engine, request()) == ("aaa", "length")


@pytest.mark.parametrize("ids", [(), (5,) * 256, (10**6,), (-1,)])
async def test_a_prompt_that_cannot_be_run_is_refused(engine: ThreadedEngine, ids: tuple[int, ...]) -> None:
    """Empty, too long, or with ids that nobody knows."""
    with pytest.raises(EngineError, match="doesn't"):
        await complete(engine, request(ids=ids))
