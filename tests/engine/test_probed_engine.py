"""An engine that ignores the adapter never speaks."""

import asyncio

import pytest

from engine.base import EngineError, Request, complete
from engine.probed_engine import ProbedEngine
from persona.bundle import Probe
from persona.errors import PermanentError
from persona.sampling import SamplingParams
from tests.engine.stepping import ENCODING
from tests.fakes.fake_engine import FakeEngine

PROBE = Probe(ids=(5, 6), tuned=tuple(ENCODING.encode("hello there")), base=tuple(ENCODING.encode("hello World")))
ASKED = Request((7, 8, 9), SamplingParams(), seed=1)


class Moody:
    """What an engine says to the probe and to everything else; it is away while `away`."""

    def __init__(self, to_probe: str) -> None:
        self.to_probe = to_probe
        self.away = False

    def __call__(self, request: Request) -> str:
        if self.away:
            raise EngineError("away")
        return self.to_probe if request.ids == PROBE.ids else "sure"


@pytest.mark.parametrize("text", ["hello there", "hello th", "hello", "hello We", "something else", ""])
async def test_one_that_speaks_like_the_adapter_or_like_neither_is_let_through(text: str) -> None:
    """Rounding may change the answer; only the base's own answer is damning, no word that begins with the same letter."""
    engine = ProbedEngine(FakeEngine(Moody(text)), PROBE, ENCODING)
    await engine.start()
    assert await complete(engine, ASKED) == ("sure", "stop")


async def test_a_word_that_begins_with_the_bases_is_the_adapters() -> None:
    """A token of one may be the beginning of a token of the other."""
    probe = Probe(ids=(5, 6), tuned=tuple(ENCODING.encode("hello")), base=tuple(ENCODING.encode("h")))
    assert len(probe.tuned) == len(probe.base) == 1
    engine = ProbedEngine(FakeEngine(Moody("hello")), probe, ENCODING)
    await engine.start()
    assert await complete(engine, ASKED) == ("sure", "stop")


async def test_one_that_speaks_like_the_base_is_refused() -> None:
    """At its start, with exit code 78."""
    with pytest.raises(PermanentError, match="the fake engine ignores the adapter"):
        await ProbedEngine(FakeEngine(Moody("hello World")), PROBE, ENCODING).start()


async def test_one_that_is_away_is_asked_before_it_speaks() -> None:
    """The start goes on without it; it speaks once it has answered, and not if it answers like the base."""
    mood = Moody("hello there")
    mood.away = True
    inner = FakeEngine(mood)
    engine = ProbedEngine(inner, PROBE, ENCODING)
    await engine.start()
    with pytest.raises(EngineError, match="away"):
        await complete(engine, ASKED)
    mood.away = False
    assert await complete(engine, ASKED) == ("sure", "stop")
    assert [one.ids for one in inner.asked][-2:] == [PROBE.ids, ASKED.ids]


async def test_after_a_failure_it_is_asked_again() -> None:
    """A server that was restarted may have forgotten the adapter."""
    mood = Moody("hello there")
    engine = ProbedEngine(FakeEngine(mood), PROBE, ENCODING)
    await engine.start()
    mood.away = True
    with pytest.raises(EngineError, match="away"):
        await complete(engine, ASKED)
    mood.away, mood.to_probe = False, "hello World"
    with pytest.raises(PermanentError, match="ignores the adapter"):
        await complete(engine, ASKED)


async def test_many_at_once_ask_it_once() -> None:
    """The first request asks for all."""
    mood = Moody("hello there")
    mood.away = True
    inner = FakeEngine(mood)
    engine = ProbedEngine(inner, PROBE, ENCODING)
    await engine.start()
    mood.away = False
    await asyncio.gather(*(complete(engine, ASKED) for _ in range(5)))
    assert [one.ids for one in inner.asked].count(PROBE.ids) == 2
