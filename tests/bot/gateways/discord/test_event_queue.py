"""What finds no room is dropped, and read later: all of it, whatever came after."""

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from aiohttp import web

from bot.daemon import BotDaemon, Pauses
from bot.gateway import IncomingMessage
from bot.gateways.discord.dropped_edits import DroppedEdits
from bot.gateways.discord.event_queue import Change, EventQueue
from bot.gateways.discord.gateway import DiscordGateway
from bot.store import BotStore
from persona.config import load
from persona.platforms import Discord
from tests.bot.test_discord_bot import on_discord
from tests.conftest import Home
from tests.fakes.fake_discord import BOT_ID, CHANNEL_ID, TOKEN, FakeDiscord
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice


async def nothing() -> None:
    """A change without effect."""


def said(channel: str, number: int) -> IncomingMessage:
    return IncomingMessage(channel, str(number), "5", "Bob", f"line {number}", 0.0)


def changed(channel: str, number: int, *, rereadable: bool) -> Change:
    return Change(channel, (str(number),), partial(nothing), rereadable)


async def test_after_a_dropped_message_nothing_newer_of_its_channel_is_let_through() -> None:
    """It would move the watermark past the dropped one. Other channels go on as long as there is room."""
    queue = EventQueue(4)
    for number in range(1, 5):
        queue.put(said("discord:1", number))
    queue.put(said("discord:1", 6))
    assert [event.message_id for event in await queue.get(3) if isinstance(event, IncomingMessage)] == ["1", "2", "3"]
    queue.put(said("discord:1", 5))  # there is room again
    queue.put(said("discord:2", 9))
    kept = [event for event in await queue.get(9) if isinstance(event, IncomingMessage)]
    assert [(event.channel, event.message_id) for event in kept] == [("discord:1", "4"), ("discord:2", "9")]
    was_done = queue.is_done
    assert queue.take_dropped().first == {"discord:1": "5"}
    assert (was_done, queue.is_done) == (False, True)
    queue.put(said("discord:1", 7))
    assert len(await queue.get(9)) == 1


async def test_dropped_edits_are_named_and_dropped_deletions_kept() -> None:
    """An edited message can be read anew; one that is gone can't."""
    queue = EventQueue(1)
    queue.put(said("discord:1", 1))
    queue.put(changed("discord:1", 1, rereadable=True))
    gone = changed("discord:2", 2, rereadable=False)
    queue.put(gone)
    await queue.get(9)
    dropped = queue.take_dropped()
    assert (dropped.first, dropped.edited, dropped.changes) == ({}, {"discord:1": {"1"}}, [gone])


async def test_it_is_read_once_there_is_room_not_once_nothing_waits() -> None:
    """Under load something always waits."""
    queue = EventQueue(4)
    for number in range(1, 6):
        queue.put(said("discord:1", number))
    assert not queue.take_dropped()
    await queue.get(2)
    assert queue.take_dropped().first == {"discord:1": "5"}


async def test_an_overflow_loses_no_message_edit_or_deletion(bare_home: Home, tmp_path: Path) -> None:
    """The real library against the fake; the store is locked while more is said than the queue holds."""
    discord = FakeDiscord(channels=2)
    await discord.start()
    settings = load(on_discord(bare_home, discord).config)
    store = await BotStore.open(settings.store.url, settings.state)
    gateway = DiscordGateway(settings.section(Discord), TOKEN, queue_size=4)
    stopping, voice = asyncio.Event(), small_voice(FakeEngine())
    daemon = BotDaemon(settings, store, voice, [gateway], Pauses(0.05, 1.0, (0.05, 1.0)))
    task = asyncio.create_task(daemon.run(stopping, until_first_ends=False))
    try:
        await discord.wait_connected()
        first, second = discord.channels
        early = [await discord.say(f"early {number}", channel=first) for number in range(3)]
        account = f"discord:{BOT_ID}"
        await _remembers(store, account, first, 3)
        with closing(sqlite3.connect(tmp_path / "alterego.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(120):  # more than one batch and the queue
                await discord.say(f"late {number}", channel=(first, second)[number % 2])
            await discord.edit(early[0], "early, mended", channel=first)
            await discord.delete(early[1], channel=first)
            await asyncio.sleep(0.3)
            other.execute("ROLLBACK")
        for number in range(20):
            await discord.say(f"last {number}", channel=(first, second)[number % 2])
        lines = await _remembers(store, account, first, 2 + 60 + 10)
        assert lines[:2] == ["early, mended", "early 2"]
        assert len(await _remembers(store, account, second, 60 + 10)) == 70
    finally:
        stopping.set()
        await task
        await store.close()
        await discord.stop()


async def test_a_dropped_edit_is_read_again_for_as_long_as_it_takes(bare_home: Home, tmp_path: Path) -> None:
    """History shows it to nobody: the message is known. Discord answers 503 at first, and the line is lost meanwhile."""
    discord = FakeDiscord()
    await discord.start()
    settings = load(on_discord(bare_home, discord).config)
    store = await BotStore.open(settings.store.url, settings.state)
    gateway = DiscordGateway(settings.section(Discord), TOKEN, queue_size=1)
    gateway._edits = DroppedEdits((0.05, 0.2))
    stopping, voice = asyncio.Event(), small_voice(FakeEngine())
    daemon = BotDaemon(settings, store, voice, [gateway], Pauses(0.05, 1.0, (0.05, 1.0)))
    task = asyncio.create_task(daemon.run(stopping, until_first_ends=False))
    refused: list[str] = []

    async def refuse(moment: str, request: web.Request) -> web.StreamResponse | None:
        if moment != "before message" or len(refused) == 4:
            return None
        refused.append(request.path)
        if len(refused) == 2:
            await discord.line.cut(resumable=False)
        return web.json_response({}, status=503)

    try:
        await discord.wait_caught_up()
        early = await discord.say("early")
        await _remembers(store, f"discord:{BOT_ID}", CHANNEL_ID, 1)
        discord.trouble = refuse
        with closing(sqlite3.connect(tmp_path / "alterego.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(3):  # one is being committed, one waits, one finds no room
                await discord.say(f"late {number}")
            await discord.edit(early, "early, mended")
            async with asyncio.timeout(20):
                while not (gateway._client and gateway._client._events._dropped.edited):
                    await asyncio.sleep(0.01)
            other.execute("ROLLBACK")
        async with asyncio.timeout(20):
            while (await _remembers(store, f"discord:{BOT_ID}", CHANNEL_ID, 4))[0] != "early, mended":
                await asyncio.sleep(0.02)
        assert len(refused) == 4
    finally:
        stopping.set()
        await task
        await store.close()
        await discord.stop()


async def _remembers(store: BotStore, account: str, channel: str, count: int) -> list[str]:
    """What is remembered of a channel, once it is so many."""
    async with asyncio.timeout(20):
        while True:
            messages = await store.memory.latest(account, f"discord:{channel}", 500)
            if len(messages) == count:
                return [message.lines[0] for message in messages]
            await asyncio.sleep(0.02)
