"""Nothing that was said is lost, whatever Discord answers; and nobody waits for somebody else's channel."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from aiohttp import web

from tests.bot.test_discord_bot import on_discord, verdicts
from tests.conftest import Home, Running, StartDaemon
from tests.fakes.fake_discord import ALICE, DM_ID, FakeDiscord


async def answered(home: Home, *message_ids: str, seconds: float = 20) -> None:
    """Return once all of these were answered."""
    async with asyncio.timeout(seconds):
        while not {(message_id, "answered") for message_id in message_ids} <= set(verdicts(home)):
            await asyncio.sleep(0.02)


async def started(home: Home, discord: FakeDiscord, start_daemon: StartDaemon, extra: str = "") -> Running:
    """A daemon that has heard everything so far, and has a watermark in the first channel and the private one."""
    daemon = await start_daemon(on_discord(home, discord, f"bursts = false\n{extra}"))
    await discord.wait_caught_up()
    asked = await discord.say("hello", mention=True)
    await answered(home, asked, await discord.say("hi", channel=DM_ID))
    return daemon


def quarantined(home: Home) -> list[str]:
    with closing(sqlite3.connect(home.folder / "alterego.db")) as store:
        return [row[0] for row in store.execute("select reason from quarantine")]


def refusing(discord: FakeDiscord, channel: str, status: int, asked: "Counter[str]") -> None:
    """Answer every look into this channel's history so; count the looks into all."""

    async def trouble(moment: str, request: web.Request) -> web.StreamResponse | None:
        if moment != "before history":
            return None
        asked[request.match_info["channel"]] += 1
        refused = request.match_info["channel"] == channel
        return discord._json({"message": "no", "code": 0}, status) if refused else None

    discord.trouble = trouble


async def test_a_message_that_cannot_be_parsed_is_put_away_and_those_around_it_are_answered(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """The library's own iterator would fail at it again at every start."""
    await (await started(bare_home, discord, start_daemon)).stop()
    before = await discord.say("before?", mention=True, live=False)
    await discord.say("poison", live=False, thread=None)
    after = await discord.say("after?", mention=True, live=False)
    identified = discord.line.identified
    await start_daemon(bare_home)
    await answered(bare_home, before, after)
    assert quarantined(bare_home) == ["TypeError"]
    assert discord.line.identified == identified + 1


async def test_a_channel_whose_pages_are_refused_is_named_and_the_others_are_read(
    discord_of_two: FakeDiscord, bare_home: Home, start_daemon: StartDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    """400 will be 400 again; what is said there from now on is answered."""
    discord = discord_of_two
    first, second = discord.channels
    daemon = await started(bare_home, discord, start_daemon)
    await answered(bare_home, await discord.say("here too", channel=second, mention=True))
    await daemon.stop()
    await discord.say("lost to a broken page", live=False)
    missed = await discord.say("you there?", channel=second, mention=True, live=False)
    asked: Counter[str] = Counter()
    refusing(discord, first, 400, asked)
    await start_daemon(bare_home)
    await answered(bare_home, missed)
    await answered(bare_home, await discord.say("and here?", mention=True))
    assert f"channel can't be read channel=discord:{first} reason=400" in caplog.text
    assert asked[first] == 1


async def test_a_live_event_that_cannot_be_parsed_costs_that_event(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A reaction without an emoji, a message with half a thread: the connection stays, and who speaks next is answered."""
    await started(bare_home, discord, start_daemon)
    reaction = {"user_id": "1", "message_id": "2", "guild_id": "3", "type": 0, "channel_id": discord.channels[0]}
    await discord.tell("MESSAGE_REACTION_ADD", {**reaction, "emoji": None})
    await discord.say("poison", thread=None)
    await answered(bare_home, await discord.say("still there?", mention=True))
    assert (discord.line.identified, discord.line.resumed) == (1, 0)
    assert sorted(quarantined(bare_home)) == ["AttributeError", "TypeError"]


async def test_no_mention_is_lost_where_somebody_speaks_during_a_catch_up_that_fails(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A reconnection that can't be resumed; history fails; what is said meanwhile must not move the watermark, for the
    process ends before history could be read."""
    daemon = await started(bare_home, discord, start_daemon)
    failed, meanwhile = asyncio.Event(), list[str]()

    async def trouble(moment: str, request: web.Request) -> web.StreamResponse | None:
        if moment != "before history" or request.match_info["channel"] == DM_ID:
            return None
        if not meanwhile:
            meanwhile.append(await discord.say("meanwhile", mention=True))
        failed.set()
        return discord._json({"message": "unavailable", "code": 0}, 503)

    discord.trouble = trouble
    await discord.line.cut(resumable=False)
    missed = await discord.say("missed", mention=True, live=False)
    await asyncio.wait_for(failed.wait(), 20)
    await asyncio.sleep(0.3)  # in which it would be committed
    await daemon.stop()
    discord.trouble = None
    await start_daemon(bare_home)
    await answered(bare_home, missed, *meanwhile)


async def test_history_that_fails_once_is_asked_again_and_the_connection_stays(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """What was missed comes before what was said meanwhile."""
    await started(bare_home, discord, start_daemon)
    failures = [503]

    async def trouble(moment: str, request: web.Request) -> web.StreamResponse | None:
        if moment == "before history" and request.match_info["channel"] != DM_ID and failures:
            live.append(await discord.say("meanwhile", mention=True))
            return discord._json({"message": "unavailable", "code": 0}, failures.pop())
        return None

    live: list[str] = []
    discord.trouble = trouble
    await discord.line.cut(resumable=False)
    missed = await discord.say("missed", mention=True, live=False)
    async with asyncio.timeout(20):
        while not live:
            await asyncio.sleep(0.02)
    await answered(bare_home, missed, *live)
    order = [message_id for message_id, _ in verdicts(bare_home)]
    assert order.index(missed) < order.index(live[0])
    assert discord.line.identified == 2


async def test_live_talk_is_answered_while_other_channels_catch_up(
    bare_home: Home, start_daemon: StartDaemon, discord_of_many: FakeDiscord
) -> None:
    """Channels in which nothing was said are not asked for; all others in turn, the one that calls before the others."""
    discord = discord_of_many
    daemon = await started(bare_home, discord, start_daemon)
    await daemon.stop()
    changed, calling = discord.channels[1:100], discord.channels[150]
    missed = [
        await discord.say(
            "you there?", channel=channel, author={**ALICE, "id": f"5{channel[1:]}"}, mention=True, live=False
        )
        for channel in changed
    ]
    asked: Counter[str] = Counter()

    async def slow(moment: str, request: web.Request) -> None:
        if moment == "before history":
            asked[request.match_info["channel"]] += 1
            await asyncio.sleep(0.1)

    discord.trouble = slow
    await start_daemon(bare_home)
    await discord.wait_connected()
    quiet = await discord.say("hello?", channel=calling, mention=True)
    await answered(bare_home, quiet, seconds=10)
    busy = sum(asked.values())
    await answered(bare_home, *missed, seconds=60)
    assert busy < len(changed)
    assert set(asked) <= {*changed, calling, DM_ID, discord.channels[0]}


async def test_a_post_that_is_tried_again_bears_the_same_nonce(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Discord made it and did not say so, and its history doesn't show it yet: the nonce alone keeps it from being made
    twice."""
    daemon = await start_daemon(on_discord(bare_home, discord, "bursts = false\n"))
    await discord.wait_caught_up()
    nonces: list[str] = []

    async def trouble(moment: str, request: web.Request) -> web.StreamResponse | None:
        if moment == "before history":
            return discord._json([])
        if moment == "before post":
            nonces.append((await request.json())["nonce"])
        return discord._json({}, 503) if moment == "after post" and len(nonces) == 1 else None

    discord.trouble = trouble
    await answered(bare_home, await discord.say("hello?", mention=True))
    await daemon.stop()
    assert len(nonces) == 2
    assert len(set(nonces)) == 1
    assert len(discord.posts) == 1
