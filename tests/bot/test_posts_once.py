"""No post twice and no torn reply, whatever fails between a post and the store's note of it. Real libraries, fakes."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.store import BotStore
from tests.bot.test_discord_bot import on_discord
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, Running, StartDaemon
from tests.fakes.fake_discord import FakeDiscord
from tests.fakes.fake_telegram import FakeTelegram


async def rows(store: BotStore) -> list[tuple[str, float]]:
    """State and earliest next try of every post, in order."""
    query = sa.text("select state, not_before from outbox order by id")
    return await store.database.read(lambda read: [tuple(row) for row in read.execute(query)])


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Return once it holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def settled(daemon: Running) -> dict[str, int]:
    """The verdicts, once nothing is left to post."""

    async def is_settled() -> bool:
        states = {state for state, _ in await rows(daemon.store)}
        verdicts = await daemon.store.inbox.verdicts()
        return bool(verdicts) and "waiting" not in verdicts and not states & {"ready", "sending"}

    await until(is_settled)
    return await daemon.store.inbox.verdicts()


def forget_to_note(store: BotStore, times: int) -> None:
    """The next `times` notes that a post was made fail, as under a lock or on a full disk."""
    left = [times]

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if left[0] and statement.startswith("UPDATE outbox") and "message_id" in statement:
            left[0] -= 1
            raise sqlite3.OperationalError("database is locked")

    sa.event.listen(store.database.engine, "before_cursor_execute", fail)


def once(fake: FakeDiscord | FakeTelegram, moment: str, answer: web.Response | None) -> None:
    """Answer so at the next such moment; None cuts the line."""

    async def trouble(now: str, request: web.Request) -> web.StreamResponse | None:
        if now != moment:
            return None
        fake.trouble = None
        if answer is None:
            assert request.transport
            request.transport.abort()
        return answer or web.Response()

    fake.trouble = trouble


@pytest.mark.parametrize("failures", [1, 3])
async def test_a_post_that_the_store_can_not_note_is_not_made_again_on_telegram(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, failures: int
) -> None:
    """It is noted later; the second line follows at once, not at the next start."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: "one\ntwo"
    await until(lambda: _is_open(daemon))
    forget_to_note(daemon.store, failures)
    telegram.say("hello?", mention=True)
    await telegram.wait_sent(2)
    assert await settled(daemon) == {"answered": 1}
    assert [one["text"] for one in telegram.sent] == ["one", "two"]


async def test_a_post_that_the_store_can_not_note_is_not_made_again_on_discord(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Nor by its nonce alone, which Discord forgets after a few minutes: not even asked for."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: "one\ntwo"
    await discord.wait_connected()
    forget_to_note(daemon.store, 2)
    asked: list[str] = []
    discord.on_post = lambda wish: asked.append(str(wish["content"]))
    await discord.say("hello?", mention=True)
    await discord.wait_posts(2)
    assert await settled(daemon) == {"answered": 1}
    assert asked == ["one", "two"]


async def test_a_post_whose_answer_the_library_can_not_parse_was_made(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Of the answer only the id is needed."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: "one\ntwo"
    odd = {"ok": True, "result": {"message_id": 4711, "date": "never", "chat": 7, "from": []}}
    once(telegram, "after sendMessage", web.json_response(odd))
    telegram.say("hello?", mention=True)
    await telegram.wait_sent(2)
    assert await settled(daemon) == {"answered": 1}
    assert [one["text"] for one in telegram.sent] == ["one", "two"]


async def test_what_telegram_puts_off_is_ready_again_and_sent_after_a_restart(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """A flood wait is no reason to throw an answer away, nor to wait inside a send; its end is kept in the row."""
    first = await start_daemon(on_telegram(bare_home, telegram))
    first.engine.words = lambda _: "one\ntwo"
    limit = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 2}}

    async def flood(now: str, _request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=429, body=json.dumps(limit)) if now == "before sendMessage" else None

    telegram.trouble = flood
    telegram.say("hello?", mention=True)

    async def is_put_off() -> bool:
        return [state for state, until in await rows(first.store) if until] == ["ready"]

    await until(is_put_off)
    await first.stop()
    telegram.trouble = None
    second = await start_daemon(bare_home)
    await telegram.wait_sent(2)
    assert await settled(second) == {"answered": 1}
    assert [one["text"] for one in telegram.sent] == ["one", "two"]


async def test_a_second_half_is_not_posted_alone(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Where nobody can know of the first, the answer is uncertain as a whole."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: "one\ntwo"
    once(telegram, "before sendMessage", None)
    telegram.say("hello?", mention=True)
    assert await settled(daemon) == {"uncertain": 1}
    await asyncio.sleep(0.3)
    assert telegram.sent == []
    assert [state for state, _ in await rows(daemon.store)] == ["uncertain", "failed"]


async def _is_open(daemon: Running) -> bool:
    return bool(await daemon.store.channels.accounts("telegram"))
