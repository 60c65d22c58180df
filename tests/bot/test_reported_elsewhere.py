"""Faults that people reported of other bots, tried on this one: the real libraries against the fakes, which do as the platform
did there."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bot.store import OutgoingPart
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, Running, StartDaemon, sample_settings
from tests.fakes.discord_line import Line
from tests.fakes.fake_discord import FakeDiscord
from tests.fakes.fake_telegram import ALICE, BOT, GROUP, PRIVATE, FakeTelegram

FORUM: dict[str, Any] = {**GROUP, "is_forum": True}
TOPIC: dict[str, Any] = {"message_thread_id": 50, "is_topic_message": True}


async def judged(daemon: Running, **verdicts: int) -> None:
    """Wait until there are these verdicts, and no others. An answer that can't be posted is `answered` for a moment."""
    async with asyncio.timeout(30):
        while await daemon.store.inbox.verdicts() != verdicts:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("refusal", ["message thread not found", "TOPIC_CLOSED"])
async def test_a_topic_that_is_gone_or_closed_costs_its_answer_alone(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, refusal: str
) -> None:
    """feedback-bot#1, TagEveryoneTelegramBot#26: the process died of it; opencrabs#1491: it was tried for ever. Opened again,
    the topic is answered."""
    telegram.groups = [FORUM]
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.refused_topics[50] = refusal
    telegram.say("in the topic", mention=True, **TOPIC)
    await judged(daemon, declined=1)
    telegram.say("elsewhere", mention=True, message_thread_id=60, is_topic_message=True)
    assert (await telegram.wait_sent(1))[0]["message_thread_id"] == 60
    del telegram.refused_topics[50]
    telegram.say("again", mention=True, **TOPIC)
    assert (await telegram.wait_sent(2))[1]["message_thread_id"] == 50
    await judged(daemon, declined=1, answered=2)
    await daemon.stop()


async def test_a_reply_in_a_group_without_topics_is_answered_without_its_thread(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """televerse#135: a reply there has the number of a thread too, but nothing can be posted to it."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("first", mention=True)
    first = (await telegram.wait_sent(1))[0]["message"]
    telegram.say("why?", reply_to={**first, "from": BOT}, message_thread_id=first["message_id"])
    await telegram.wait_sent(2)
    await judged(daemon, answered=2)
    await daemon.stop()


async def test_the_general_topic_is_posted_to_by_the_number_in_its_link(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """openclaw#79408: links call it 1, and Telegram refuses to post to thread 1."""
    telegram.groups = [FORUM]
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("hello", mention=True)
    await telegram.wait_sent(1)
    place = (f"telegram:{BOT['id']}", f"telegram:{FORUM['id']}:1")
    await daemon.store.outbox.put(*place, "studio:1", [OutgoingPart("for everybody", ("for everybody",))])
    assert (await telegram.wait_sent(2))[1]["text"] == "for everybody"
    await daemon.stop()


async def test_an_answer_that_automod_blocks_is_given_up_whole(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """matrix-appservice-discord#799: the server's own filter refuses a text. No half of the answer is posted, and the next
    mention is answered."""
    settings = sample_settings(f"{discord.settings}[talk]\ntyping = false\nmerge = '0s'\n")
    daemon = await start_daemon(bare_home.settings(settings))
    await discord.wait_caught_up()
    daemon.engine.words = lambda _: "a bad word\nand more"
    discord.trouble = _blocked
    await discord.say("say it", mention=True)
    await judged(daemon, declined=1)
    discord.trouble = None
    daemon.engine.words = lambda _: "a good word"
    await discord.say("and now?", mention=True)
    posts = await discord.wait_posts(1)
    assert [post["content"] for post in posts] == ["a good word"]
    await judged(daemon, declined=1, answered=1)
    await daemon.stop()


@pytest.mark.parametrize("resumable", [True, False])
async def test_a_connection_that_breaks_before_the_first_session_is_ready_leaves_nobody_deaf(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, resumable: bool
) -> None:
    """discord.py#10118: resumed while its servers still came in, a bot was never ready, for good."""
    daemon = await start_daemon(bare_home.settings(sample_settings(f"{discord.settings}[talk]\ntyping = false\n")))
    await discord.wait_connected()
    await discord.line.cut(resumable=resumable)
    await discord.wait_caught_up()
    await discord.say("anybody there?", mention=True)
    await discord.wait_posts(1)
    await judged(daemon, answered=1)
    await daemon.stop()


async def test_a_session_that_is_never_taken_up_again_is_given_up(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """carbon#350, discord-api-docs#1619: every RESUME was answered by hanging up, without a word. The library asked some
    hundred times a second, and all the while nothing was heard."""
    daemon = await start_daemon(bare_home.settings(sample_settings(f"{discord.settings}[talk]\ntyping = false\n")))
    await discord.wait_connected()
    await discord.wait_caught_up()
    asked: list[str] = []

    async def hang_up(line: Line, wish: dict[str, Any]) -> Line:
        asked.append(wish["session_id"])
        assert line.socket
        await line.socket.close(code=1005)
        return line

    monkeypatch.setattr(discord.line, "_resume", hang_up)
    await discord.line.cut()
    await discord.say("anybody there?", mention=True)
    await discord.wait_posts(1)
    assert len(asked) < 10
    await judged(daemon, answered=1)
    await daemon.stop()


async def test_other_settings_of_a_group_hold_when_it_gets_a_new_id(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """gatus#179: it changes out of the blue, and what was set by the old one no longer holds; also after a restart."""
    on_telegram(bare_home, telegram, f'[[place]]\nmatch = "telegram:{GROUP["id"]}"\nreply_to = ["reply"]\n')
    daemon = await start_daemon(bare_home)
    new = {**GROUP, "id": -1009}
    telegram.push({"message": {**telegram._message(GROUP, ALICE, ""), "migrate_to_chat_id": new["id"]}})
    for _ in range(2):
        telegram.say("hello?", chat=new, mention=True)
        telegram.say("hello!", chat=PRIVATE)
        await telegram.wait_confirmed()
        await daemon.stop()
        daemon = await start_daemon(bare_home)
    await telegram.wait_sent(2)
    assert {post["chat_id"] for post in telegram.sent} == {PRIVATE["id"]}


async def _blocked(now: str, _request: web.Request) -> web.StreamResponse | None:
    if now != "before post":
        return None
    body = {"code": 200000, "message": "Message was blocked by automatic moderation"}
    return web.json_response(body, status=400)
