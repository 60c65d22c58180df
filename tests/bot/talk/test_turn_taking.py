"""When the persona speaks though nobody asked it."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.gateway import IncomingMessage
from bot.store import InboundMessage
from bot.talk.policy import LONE_TURNS
from bot.talk.turn_taking import BUSY_DRAFTS, FRESH
from engine.base import EngineError, Request
from engine.voice import Voice
from persona.speaking_up import SpeakingUp
from tests.bot.rooms import QUICK, Clock, Inhabited, inhabited
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice

ALWAYS = QUICK + "unprompted = 1.0\n"
KNOWS = SpeakingUp(rate=0.3, thresholds=(-0.5, -1.0))


def calibrated(engine: FakeEngine) -> Voice:
    voice = small_voice(engine)
    return replace(voice, seal=voice.seal.model_copy(update={"speaking_up": KNOWS}))


def room(folder: Path, settings: str = ALWAYS, clock: Clock | None = None) -> AbstractAsyncContextManager[Inhabited]:
    return inhabited(folder, settings, clock=clock or Clock(), voice=calibrated)


def finding(nats: float, engine: FakeEngine) -> None:
    """Let the engine find the persona so likely."""
    engine.next_ids = lambda _: {0: nats}


async def counted(here: Inhabited, result: str, count: int = 1) -> None:
    """Wait until so many decisions ended so."""
    metric = here.daemon.metrics.turns.labels(result)
    async with asyncio.timeout(10):
        while metric._value.get() < count:
            await asyncio.sleep(0.005)


async def remembered(here: Inhabited, count: int) -> None:
    """Wait until so many of its posts are noted: what is said before that was said while it spoke."""
    async with asyncio.timeout(10):
        while len(await here.store.memory.own("discord:1", "discord:7", 50)) < count:
            await asyncio.sleep(0.005)


async def test_it_speaks_where_the_person_would_have(tmp_path: Path) -> None:
    """By the normal way, with one verdict; where it isn't likely enough it stays silent, and nothing is recorded."""
    async with room(tmp_path) as here:
        finding(-9.0, here.engine)
        await here.say("soup again", 1, mention=False)
        await counted(here, "not its turn")
        assert await here.store.inbox.verdicts() == {}
        finding(0.0, here.engine)
        await here.say("does anybody know a place with eels", 2, mention=False)
        assert await here.verdicts(1) == {"answered": 1}
        assert len(await here.posted(1)) == 1
        await here.say("thanks", 3)
        assert await here.verdicts(2) == {"answered": 2}


async def test_half_as_often_asks_for_more(tmp_path: Path) -> None:
    """The threshold is that of the share."""
    async with room(tmp_path, QUICK + "unprompted = 0.5\n") as here:
        finding(-0.6, here.engine)
        await here.say("soup again", 1, mention=False)
        await counted(here, "not its turn")


@pytest.mark.parametrize("more", [{"is_bot": True}, {"is_dm": True, "channel": "discord:8"}])
async def test_bots_and_private_messages_are_not_answered_unasked(tmp_path: Path, more: dict[str, object]) -> None:
    """The engine isn't even asked; nor by default."""
    for settings, extra in ((ALWAYS.replace("[talk]", '[talk]\nreply_to = ["mention"]'), more), (QUICK, {})):
        async with room(tmp_path, settings) as here:
            finding(0.0, here.engine)
            await here.say("hello", 1, mention=False, **extra)
            await here.say("hello you", 2)
            await here.verdicts(1)
            assert here.engine.looked_at == []


async def test_a_bundle_without_a_threshold_says_so_and_only_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is asked of the engine."""
    caplog.set_level(logging.WARNING)
    async with inhabited(tmp_path, ALWAYS) as here:
        await here.say("soup again", 1, mention=False)
        await here.say("and you?", 2)
        assert await here.verdicts(1) == {"answered": 1}
        assert here.engine.looked_at == []
    assert "this bundle doesn't know when the persona speaks up" in caplog.text


async def test_an_engine_that_cannot_tell_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One sentence, not one a message; mentions are answered."""

    def refuse(_: Request) -> dict[int, float]:
        raise EngineError("the server tells no probabilities of ids")

    async with room(tmp_path) as here:
        here.engine.next_ids = refuse
        for number in range(1, 4):
            await here.say("soup again", number, mention=False)
            await counted(here, "engine can't", number)
        assert len(here.engine.looked_at) == 1
        await here.say("and you?", 9)
        assert await here.verdicts(1) == {"answered": 1}
    assert caplog.text.count("who speaks next is not known") == 1


async def test_in_a_flood_only_the_newest_message_is_looked_at(tmp_path: Path) -> None:
    """Three hundred in one go ask the engine once."""
    async with room(tmp_path) as here:
        finding(-9.0, here.engine)
        flood = [
            IncomingMessage("discord:7", str(number), f"{number % 7}", f"P{number % 7}", "hey", here.clock())
            for number in range(300)
        ]
        for start in range(0, 300, 50):
            await here.room.say(*flood[start : start + 50])
        await counted(here, "not its turn")
        assert len(here.engine.looked_at) <= 6


async def test_under_load_nothing_more_is_asked(tmp_path: Path) -> None:
    """While mentions are being answered."""
    async with room(tmp_path) as here:
        finding(0.0, here.engine)
        here.engine.free.clear()
        for number in range(BUSY_DRAFTS):
            await here.say("you?", number, channel=f"discord:1{number}")
        async with asyncio.timeout(10):
            while len(here.engine.asked) < BUSY_DRAFTS:
                await asyncio.sleep(0.005)
        await here.say("soup again", 9, mention=False)
        await counted(here, "busy")
        assert here.engine.looked_at == []
        here.engine.free.set()
        await here.verdicts(BUSY_DRAFTS)


async def test_what_was_missed_is_not_spoken_up_about(tmp_path: Path) -> None:
    """Neither what was said while it was away, nor for ever if the clock was set back."""
    clock = Clock()
    async with room(tmp_path, clock=clock) as here:
        finding(0.0, here.engine)
        late = IncomingMessage("discord:7", "1", "5", "Bob", "soup again", clock.now - FRESH - 1)
        await here.room.say(late)
        await counted(here, "too old")
        await here.room.say(replace(late, message_id="2", at=clock.now + 3600))
        assert await here.verdicts(1) == {"answered": 1}


async def test_so_many_an_hour_and_not_where_it_was_told_to_be_quiet(tmp_path: Path) -> None:
    """The rules of today hold."""
    async with room(tmp_path, ALWAYS + "unprompted_hourly = 2\n") as here:
        finding(0.0, here.engine)
        for number in range(1, 4):
            await here.say("soup again", number, mention=False, author_id=f"5{number}", author_name=f"P{number}")
            await remembered(here, min(number, 2))
        await counted(here, "unprompted hourly")
        await here.store.channels.silence("discord:1", "discord:9", None)
        await here.say("soup again", 9, mention=False, channel="discord:9")
        await counted(here, "quiet")
        assert len(here.room.posted) == 2


async def test_alone_with_another_machine_it_stops(tmp_path: Path) -> None:
    """However eager the other one is; whoever calls it is answered."""
    async with room(tmp_path, ALWAYS + "unprompted_hourly = 0\n") as here:
        finding(0.0, here.engine)
        number = 0
        while not here.daemon.metrics.turns.labels("loop")._value.get():
            number += 1
            assert number < 15
            await here.say(f"and number {number}?", number, mention=False)
            await remembered(here, min(number, LONE_TURNS))
            if number > LONE_TURNS:
                await counted(here, "loop")
        assert len(here.room.posted) == LONE_TURNS
        await here.say("hey you", 99)
        await here.posted(11)


async def test_what_it_was_about_to_say_is_said_once_after_a_restart(tmp_path: Path) -> None:
    """It lies in the inbox like any message that calls."""
    settings = ALWAYS + "[daemon]\ndrain_seconds = 0\n"
    async with room(tmp_path, settings) as here:
        finding(0.0, here.engine)
        here.engine.free.clear()
        await here.say("soup again", 1, mention=False)
        async with asyncio.timeout(10):
            while not here.engine.asked:
                await asyncio.sleep(0.005)
    async with room(tmp_path, settings) as here:
        assert await here.verdicts(1) == {"answered": 1}
        await remembered(here, 1)
        assert len(here.room.posted) == 1
        assert here.engine.looked_at == []


async def test_speaking_up_is_decided_once(tmp_path: Path) -> None:
    """A message has one row, whoever asks for it; none once it is deleted."""
    async with room(tmp_path, QUICK) as here:
        said = InboundMessage("discord:1", "discord:7", "1", "5", "BOB", ("hi",), 0.0)
        await here.store.inbox.commit("discord:1", [said, replace(said, message_id="2")], {})
        called = replace(said, trigger="unprompted")
        assert await here.store.inbox.call(called)
        assert await here.store.inbox.call(called) is None
        await here.store.memory.delete("discord:1", "discord:7", ["2"])
        assert await here.store.inbox.call(replace(called, message_id="2")) is None
