"""Random tweets in the running daemon: never the same again, targets apart, a dead one disabled."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from bot.gateway import Undeliverable
from bot.timeline import JOB
from engine.voice import MAX_ATTEMPTS
from tests.bot.rooms import QUICK, Clock, Inhabited, inhabited
from tests.conftest import Home, StartDaemon
from tests.fakes.fake_discord import CHANNEL_ID, FakeDiscord
from tests.fakes.small_voice import TRAINED_ON

TWEETS = '[tweets]\nenabled = true\nevery = "1h"\njitter = "0s"\nhours = "00:00-00:00"\n'


def tweeting(*targets: str) -> str:
    return f"{QUICK}{TWEETS}to = {json.dumps(targets)}\n"


async def until_due(home: Inhabited, after: float = 0.0) -> float:
    """The stored due time, once it lies behind `after`."""
    async with asyncio.timeout(20):
        while not (due := await home.store.timetable.due_at(JOB)) or due <= after:
            await asyncio.sleep(0.01)
    return due


async def test_a_tweet_that_was_due_while_it_slept_goes_out_once(tmp_path: Path) -> None:
    """Days later: one, not one for every hour missed."""
    clock = Clock()
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        await until_due(home)
    clock.now += 5 * 86400
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        assert len(await home.posted(1)) == 1
        await asyncio.sleep(0.3)
        assert len(home.room.posted) == 1
        assert await until_due(home, clock.now) == clock.now + 3600


async def test_a_dead_target_is_disabled_and_reported_once_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Until the next start, which somebody may have mended it for."""
    clock = Clock()
    settings = tweeting("discord:7", "discord:8")
    async with inhabited(tmp_path, settings, clock=clock) as home:
        due = await until_due(home)
    clock.now = due + 1
    with caplog.at_level(logging.ERROR):
        async with inhabited(tmp_path, settings, clock=clock) as home:
            home.room.trouble = [Undeliverable("404")]
            await home.posted(1)
            async with asyncio.timeout(20):
                while not await home.store.channels.disabled_targets("discord:1"):
                    await asyncio.sleep(0.01)
            (dead,) = await home.store.channels.disabled_targets("discord:1")
            due = await until_due(home, clock.now)
    assert [record.getMessage() for record in caplog.records if "target disabled" in record.getMessage()] == [
        f"target disabled channel={dead} reason=404; mend it or take it out of [tweets] to"
    ]
    clock.now = due + 1
    async with inhabited(tmp_path, settings, clock=clock) as home:
        await home.posted(2)
        assert await home.store.channels.disabled_targets("discord:1") == set()


async def test_a_target_that_could_not_be_reached_is_tried_again_a_day_later(tmp_path: Path) -> None:
    """Telegram once refused every bot's posts for hours (python-telegram-bot#3956); nobody should have to restart for it."""
    clock = Clock()
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        await home.store.channels.disable_target("discord:1", "discord:7", "BadRequest")
        clock.now += 86400 - 1
        assert await home.store.channels.disabled_targets("discord:1") == {"discord:7"}
        clock.now += 1
        assert await home.store.channels.disabled_targets("discord:1") == set()


async def test_what_was_tweeted_lately_is_not_tweeted_again(tmp_path: Path) -> None:
    """Nor nearly; where nothing new comes the turn is skipped, and the next is due."""
    clock = Clock()
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        due = await until_due(home)
        await home.store.timetable.keep("the canal froze again last night")
    clock.now = due + 1
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        home.engine.words = lambda _: "the canal froze again, last night!"
        await until_due(home, clock.now)
        assert home.room.posted == []
        assert home.daemon.metrics.objections.labels("repeated")._value.get() == 5


async def test_what_was_trained_on_is_not_tweeted(tmp_path: Path) -> None:
    """The guard is asked about tweets too, and what it held back is counted."""
    clock = Clock()
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        due = await until_due(home)
    clock.now = due + 1
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        home.engine.words = lambda _: f"so {TRAINED_ON}, he says"
        await until_due(home, clock.now)
        assert home.room.posted == []
        assert home.daemon.metrics.objections.labels("copy")._value.get() >= MAX_ATTEMPTS


async def test_nothing_is_tweeted_where_it_was_told_to_be_quiet(tmp_path: Path) -> None:
    """The tweet stays due."""
    clock = Clock()
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        due = await until_due(home)
        await home.store.channels.silence("discord:1", "discord:7", None)
    clock.now = due + 1
    async with inhabited(tmp_path, tweeting("discord:7"), clock=clock) as home:
        await asyncio.sleep(0.3)
        assert home.room.posted == []
        assert await home.store.timetable.due_at(JOB) == due


async def test_a_tweet_reaches_discord_and_calls_nobody(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Through the real library."""
    text = bare_home.config.read_text() + discord.settings
    home = bare_home.settings(f'{text}{TWEETS.replace("1h", "1s")}to = ["discord:{CHANNEL_ID}"]\n')
    daemon = await start_daemon(home)
    daemon.engine.words = lambda _: f"hello <@123> {len(daemon.engine.asked)}"
    (post, *_) = await discord.wait_posts(1)
    assert post["content"] == "hello <\u2060@123> 1"
    assert post["allowed_mentions"] == {"parse": []}
