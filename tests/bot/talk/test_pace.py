"""The person's rhythm: waits that outlive a restart, and hold nothing up."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.store import BotStore, InboundMessage
from bot.talk.pace import Pace
from bot.talk.places import Places
from engine.voice import Voice
from persona.reply_timing import Habit, ReplyTiming
from persona.talk_settings import Talk
from tests.bot.rooms import QUICK, Clock, Inhabited, inhabited
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice

SLOW = ReplyTiming(delays={"all": (50.0, 50.0)}, typing=5.0)
MINE = QUICK + 'rhythm = "mine"\n'


def paced(engine: FakeEngine, timing: ReplyTiming | None = SLOW) -> Voice:
    return replace(small_voice(engine), timing=timing)


def room(folder: Path, settings: str = MINE, clock: Clock | None = None) -> AbstractAsyncContextManager[Inhabited]:
    return inhabited(folder, settings, clock=clock or Clock(), voice=paced)


async def due(store: BotStore) -> list[float]:
    return [message.due_at for message in await store.inbox.waiting("discord:1")]


async def test_a_wait_is_in_the_store_and_outlives_a_restart(tmp_path: Path) -> None:
    """Nothing runs meanwhile, stopping takes no time, and once it is due it is answered once."""
    clock = Clock()
    async with room(tmp_path, clock=clock) as here:
        await here.say("did you sleep", 1)
        assert await due(here.store) == [clock.now + 50]
        assert here.room.posted == []
        began = time.monotonic()
    assert time.monotonic() - began < 5
    async with room(tmp_path, clock=clock) as here:
        assert await due(here.store) == [clock.now + 50]
    clock.now += 51
    async with room(tmp_path, clock=clock) as here:
        assert await here.verdicts(1) == {"answered": 1}
        assert len(await here.posted(1)) == 1


async def test_what_waits_for_one_visit_is_due_together(tmp_path: Path) -> None:
    """Whoever turns to a channel reads all of it; of what waited for long only the last is answered."""
    clock = Clock()
    async with room(tmp_path, QUICK + 'rhythm = "mine"\nrhythm_cap = "8h"\n', clock) as here:
        await here.say("did you sleep", 1)
        clock.now += 20
        await here.say("hello?", 2, author_id="6", author_name="Eve")
        await here.say("elsewhere", 3, channel="discord:8")
        assert sorted(await due(here.store)) == [clock.now + 30, clock.now + 30, clock.now + 50]
    clock.now += 100
    async with room(tmp_path, QUICK + 'rhythm = "mine"\nrhythm_cap = "8h"\n', clock) as here:
        assert await here.verdicts(3) == {"answered": 2, "declined": 1}


async def test_a_clock_that_was_set_back_makes_nobody_wait_for_hours(tmp_path: Path) -> None:
    """No wait is longer than the longest, whatever due time an earlier process left."""
    clock = Clock()
    async with room(tmp_path, clock=clock) as here:
        await here.say("did you sleep", 1)
        assert await due(here.store) == [clock.now + 50]
    clock.now -= 3600
    async with room(tmp_path, MINE + 'rhythm_cap = "0.2s"\n', clock) as here:
        here.daemon._pace.expect("discord:1", "discord:7", clock.now + 9999)
        await here.say("hello?", 2)
        verdicts = await here.verdicts(2)
        assert sum(verdicts.values()) == 2


@pytest.mark.parametrize(("settings", "timing"), [(QUICK, SLOW), (MINE, None)])
async def test_by_default_and_without_times_it_answers_at_once(
    tmp_path: Path, settings: str, timing: ReplyTiming | None
) -> None:
    """A bundle that doesn't know them says so."""
    async with inhabited(tmp_path, settings, voice=lambda engine: paced(engine, timing)) as here:
        await here.say("did you sleep", 1)
        assert await here.verdicts(1) == {"answered": 1}


def message(channel: str = "discord:7", at: float = 1_700_000_000.0) -> InboundMessage:
    return InboundMessage("discord:1", channel, "1", "5", "BOB", ("hi",), at)


@pytest.mark.parametrize(
    ("channel", "at", "wait"),
    [
        ("discord:7", 1_700_000_000.0, 50.0),
        ("discord:7", 1_700_000_030.0, 50.0),  # a clock ahead of ours
        ("discord:7", 1_699_999_980.0, 30.0),
        ("discord:7", 1_699_990_000.0, None),  # waited already
        ("terminal:chat", 1_700_000_000.0, None),
        ("telegram:5@9", 1_700_000_000.0, None),
    ],
)
async def test_when_it_turns_to_a_message(tmp_path: Path, channel: str, at: float, wait: float | None) -> None:
    """From when it was said; not for whoever sits at the terminal, nor for drafts."""
    store = await BotStore.open("sqlite:///store.db", tmp_path, Clock())
    pace = Pace(store, Places(lambda _: Talk(rhythm="mine")), SLOW)
    expected = 0.0 if wait is None else 1_700_000_000.0 + wait
    assert await pace.due_at(message(channel, at)) == pytest.approx(expected)
    await store.close()


async def test_typing_shows_for_as_long_as_it_takes_and_ends_when_it_is_to_stop(tmp_path: Path) -> None:
    """A drain posts at once."""
    store = await BotStore.open("sqlite:///store.db", tmp_path, Clock())
    pace = Pace(store, Places(lambda _: Talk(rhythm="mine")), SLOW)
    assert pace.typing_seconds("discord:7", "x" * 50) == 10.0
    fast = Pace(store, Places(lambda _: Talk()), SLOW)
    assert fast.typing_seconds("discord:7", "x" * 900) == 5.0
    assert Pace(store, Places(lambda _: Talk(typing=False)), SLOW).typing_seconds("discord:7", "hi") == 0.0
    typed = asyncio.create_task(pace.typed("discord:7", "x" * 50, time.monotonic()))
    await asyncio.sleep(0.05)
    assert not typed.done()
    pace.hurry()
    async with asyncio.timeout(5):
        await typed
        await pace.pause(60.0)
    await fast.typed("discord:7", "x" * 50, time.monotonic())
    await store.close()


async def test_at_night_it_does_not_speak_up(tmp_path: Path) -> None:
    """At hours at which the person never writes."""
    store = await BotStore.open("sqlite:///store.db", tmp_path, Clock())
    asleep = SLOW.model_copy(update={"chats": Habit(hours=(0.0,) * 24, days=(1 / 7,) * 7)})
    assert Pace(store, Places(lambda _: Talk(rhythm="mine")), asleep).is_asleep("discord:7")
    assert not Pace(store, Places(lambda _: Talk()), asleep).is_asleep("discord:7")
    await store.close()
