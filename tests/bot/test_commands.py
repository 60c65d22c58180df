"""Commands: the same words on both platforms, rights checked, answers where only the asker sees them."""

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.bot.test_discord_bot import on_discord
from tests.bot.test_memory import until_settled
from tests.bot.test_operators_settings import until
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, StartDaemon
from tests.fakes import fake_telegram
from tests.fakes.fake_discord import ALICE, BEN, CHANNEL_ID, DM_ID, FakeDiscord
from tests.fakes.fake_telegram import GROUP, PRIVATE, FakeTelegram

MODERATOR = 1 << 13  # manage messages
WORDS = [
    "about",
    "privacy",
    "optout",
    "optin",
    "forget",
    "takeback",
    "quiet",
    "tweet",
    "reset",
    "pause",
    "resume",
    "status",
    "remember",
    "say",
    "notme",
]


async def test_every_command_is_offered_on_discord(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Those with rights are hidden by Discord from people without them, besides being checked here."""
    await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.wait_caught_up()
    assert [one["name"] for one in discord.commands] == [*WORDS, "Take that back", "Not me"]
    hidden = {one["name"] for one in discord.commands if one["default_member_permissions"]}
    assert hidden == {"quiet", "tweet", "reset", "pause", "resume", "status", "remember", "say", "notme", "Not me"}


async def test_anyone_may_ask_what_this_is_and_be_forgotten(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Nobody else sees the answer."""
    await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    about = await discord.command("about", author=BEN)
    assert "imitates Mara Voss" in about
    assert "/optout" in about
    assert "for 30 days" in await discord.command("privacy", author=BEN)
    assert discord.ephemeral == set(discord.answers)
    await discord.say("a secret", author=BEN)
    await discord.say("hi", mention=True)
    await discord.wait_posts(1)
    told = await discord.command("forget", author=BEN)
    assert re.fullmatch(rf"Forgotten of discord:{BEN['id']} at .* UTC: 1 messages, 1 names\.", told)
    assert await discord.command("forget", author=BEN) == f"Nothing was stored of discord:{BEN['id']}."


@pytest.mark.parametrize("name", ["quiet", "tweet", "reset"])
async def test_moderators_commands_are_for_moderators(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, name: str
) -> None:
    """Checked here, whatever Discord lets through."""
    await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    assert await discord.command(name, author=BEN) == f"/{name} is for moderators."
    assert "is for" not in await discord.command(name, author=BEN, permissions=MODERATOR)


@pytest.mark.parametrize("name", ["pause", "resume", "status", "remember", "say"])
async def test_owners_commands_are_for_owners(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, name: str
) -> None:
    """The application's owner where the settings name none."""
    await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    assert await discord.command(name, author=BEN, permissions=MODERATOR) == f"/{name} is for owners."
    assert "is for" not in await discord.command(name, author=ALICE)


async def test_where_settings_name_owners_nobody_else_is_one(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Not the application's owner either."""
    home = on_discord(bare_home, discord)
    home.settings(home.config.read_text().replace("[discord]", f'[discord]\nowners = ["{BEN["id"]}"]'))
    await start_daemon(home)
    await discord.wait_connected()
    assert await discord.command("pause", author=ALICE) == "/pause is for owners."
    assert "quiet everywhere" in await discord.command("pause", author=BEN)


async def test_quiet_holds_in_its_channel_until_it_ends(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A mention then is declined; elsewhere it answers."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    assert "quiet here until" in await discord.command("quiet", "2h", permissions=MODERATOR)
    await discord.say("hello?", mention=True)
    await discord.say("hello?", channel=DM_ID)
    await discord.wait_posts(1)
    assert [post["channel"] for post in discord.posts] == [DM_ID]
    assert "none" in await discord.command("quiet", "soon", permissions=MODERATOR)
    assert await discord.command("quiet", "0", permissions=MODERATOR) == "I speak here again."
    await discord.say("and now?", mention=True)
    await discord.wait_posts(2)
    assert (await daemon.store.inbox.verdicts()) == {"answered": 2, "declined": 1}


async def test_pause_outlives_a_restart_and_resume_ends_it(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Somebody who stops it means it."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.command("pause")
    await daemon.stop()
    again = await start_daemon(bare_home)
    await discord.wait_connected()
    await discord.say("anybody?", mention=True)
    await until_settled(bare_home, 1)
    assert "paused: discord:" in await discord.command("status")
    assert await discord.command("resume") == "I speak again."
    await discord.say("now?", mention=True)
    await discord.wait_posts(1)
    assert (await again.store.inbox.verdicts()) == {"answered": 1, "declined": 1}


async def test_it_tweets_and_speaks_up_when_told(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """In that channel, once; a scene that isn't one is named."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    assert await discord.command("tweet", permissions=MODERATOR) == "Said."
    assert await discord.command("say", "group") == "Said."
    await discord.wait_posts(2)
    assert [(post["channel"], post.get("message_reference")) for post in discord.posts] == [(CHANNEL_ID, None)] * 2
    assert "takes a scene: timeline, reply, group, dm" in await discord.command("say", "opera")
    scenes = [daemon.voice.encoding.text(one.ids).splitlines()[0] for one in daemon.engine.asked]
    assert scenes == ["# timeline", "# group"]
    daemon.engine.words = lambda _: discord.posts[0]["content"]
    assert "Nothing new" in await discord.command("tweet", permissions=MODERATOR)


async def test_reset_forgets_the_channel(bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon) -> None:
    """And does not read it back from history."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("old story", author=BEN)
    await discord.say("hi", mention=True)
    await discord.wait_posts(1)
    await asyncio.sleep(0.2)
    assert await discord.command("reset", permissions=MODERATOR) == "I forgot 3 messages of this channel."
    await discord.say("new story", mention=True)
    await discord.wait_posts(2)
    assert daemon.voice.encoding.text(daemon.engine.asked[-1].ids).count("story") == 1


async def test_reactions_are_kept_with_prompt_answer_and_adapter_where_the_setting_says_so(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Those on its own answers; taken back they are gone."""
    home = on_discord(bare_home, discord, "feedback = true\n")
    daemon = await start_daemon(home)
    await discord.wait_connected()
    asked = await discord.say("good?", mention=True)
    (post,) = await discord.wait_posts(1)
    await until(daemon, 1)
    for emoji, author in (("👍", ALICE), ("👎", BEN), ("🎉", ALICE)):
        await discord.react(post["id"], emoji, author=author)
    await discord.react(asked, "👍")
    await discord.react(post["id"], "👍", back=True)
    async with asyncio.timeout(20):  # until Ben's alone is left
        while [each.author_id for each in await daemon.store.feedback.judgements()] != [BEN["id"]]:
            await asyncio.sleep(0.01)
    await daemon.stop()
    with sqlite3.connect(home.folder / "alterego.db") as store:
        rows = store.execute("select author_id, score, prompt, completion, adapter from feedback").fetchall()
    assert rows == [(BEN["id"], -1, "# group\n\nALICE:\ngood?\n", "sure, number 1", "MARA VOSS 2024-06-01")]


async def test_without_the_setting_no_prompt_is_kept_for_feedback(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """It is opt-in."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("hm?", mention=True)
    await discord.wait_posts(1)
    await daemon.stop()
    with sqlite3.connect(bare_home.folder / "alterego.db") as store:
        assert store.execute("select count(*) from answers").fetchone() == (0,)


async def test_moderators_of_a_server_where_it_is_not_at_home_command_nothing(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Anybody may invite a public bot; there they are told what it is, and can make it forget them."""
    home = on_discord(bare_home, discord)
    home.settings(home.config.read_text().replace("[discord]", '[discord]\nchannels = ["1234"]'))
    daemon = await start_daemon(home)
    await discord.wait_connected()
    assert await discord.command("tweet", author=BEN, permissions=MODERATOR) == "/tweet is for moderators."
    assert "imitates" in await discord.command("about", author=BEN)
    assert daemon.engine.asked == []


# Telegram: the same words


def command(telegram: FakeTelegram, text: str, **more: Any) -> None:
    telegram.say(text, **more)


async def told(telegram: FakeTelegram, text: str, **more: Any) -> str:
    """What somebody is told who gives a command."""
    before = len(telegram.sent)
    telegram.say(text, **more)
    return str((await telegram.wait_sent(before + 1))[-1]["text"])


async def test_the_same_commands_work_on_telegram(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Admins of a group are its moderators; owners are whom the settings name; another bot's commands are not ours."""
    home = on_telegram(bare_home, telegram)
    home.settings(home.config.read_text().replace("[telegram]", "[telegram]\nowners = [777]"))
    await start_daemon(home)
    owner = {**fake_telegram.ALICE, "id": 777}
    telegram.say("/about@OtherBot")
    assert "imitates Mara Voss" in await told(telegram, "/about")
    assert "imitates" in await told(telegram, "/ABOUT@personabot")
    assert await told(telegram, "/quiet 2h") == "/quiet is for moderators."
    telegram.admins.add(fake_telegram.ALICE["id"])
    assert "quiet here until" in await told(telegram, "/quiet 2h")
    assert await told(telegram, "/pause") == "/pause is for owners."
    assert "quiet everywhere" in await told(telegram, "/pause", author=owner)
    assert "paused: telegram" in await told(telegram, "/status", author=owner, chat={**PRIVATE, "id": 777})
    telegram.say("/roll 2d6")
    telegram.say("/help")
    assert "There is no /dance" in await told(telegram, "/dance@PersonaBot")
    assert (await told(telegram, "/dance", chat=PRIVATE)).startswith("There is no /dance")
    kindly = await told(telegram, "/start", chat=PRIVATE)
    assert kindly.startswith("Hello! I am a program that imitates Mara Voss")
    assert "/optout" in kindly
    assert "/pause" not in kindly
    assert "/pause" in await told(telegram, "/help@PersonaBot", author=owner)
    assert "neither store" in await told(telegram, "/optout")
    assert [one["command"] for one in telegram.commands] == WORDS


async def test_a_command_that_fails_is_answered_and_stops_nobody_else(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Telegram would tell it again and again: an engine that is away, a time beyond all calendars, a full disk."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.admins.add(fake_telegram.ALICE["id"])
    daemon.engine.failures = 10**6
    assert "gives no answer" in await told(telegram, "/tweet")
    daemon.engine.failures = 0
    assert "takes a time" in await told(telegram, "/quiet 9999999d")
    with closing(sqlite3.connect(bare_home.folder / "alterego.db", isolation_level=None)) as raw:
        raw.execute("drop table optouts")
        assert await told(telegram, "/optin") == "That did not work. My log says why; try again later."
        raw.execute("create table optouts (platform text, author_id text, at float)")
    before = len(telegram.sent)
    telegram.say("still there?", mention=True)
    await telegram.wait_sent(before + 1)
    assert daemon.daemon.supervisor.states == {"telegram": "running"}


async def test_buttons_on_telegram_rate_an_answer(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Only where the setting says so."""
    home = on_telegram(bare_home, telegram, "feedback = true\n")
    daemon = await start_daemon(home)
    telegram.say("good?", mention=True)
    (sent,) = await telegram.wait_sent(1)
    assert [one["text"] for one in sent["reply_markup"]["inline_keyboard"][0]] == ["👍", "👎"]
    await asyncio.sleep(0.3)
    telegram.press(sent["message"], "1")
    telegram.press(sent["message"], "rm -rf /")
    await telegram.wait_confirmed()
    async with asyncio.timeout(10):
        while len(telegram.pressed) < 2:
            await asyncio.sleep(0.02)
    await daemon.stop()
    with sqlite3.connect(home.folder / "alterego.db") as store:
        assert store.execute("select author_id, score from feedback").fetchall() == [("555", 1)]


async def test_an_edit_on_telegram_is_remembered(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Deletions Telegram tells no bot."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    number = telegram.say("I like sop")
    telegram.push(
        {
            "edited_message": {
                "message_id": number,
                "date": 1,
                "edit_date": 2,
                "chat": GROUP,
                "from": fake_telegram.ALICE,
            }
            | {"text": "I like soup"}
        }
    )
    telegram.say("what do I like?", mention=True)
    await telegram.wait_sent(1)
    text = daemon.voice.encoding.text(daemon.engine.asked[-1].ids)
    assert "I like soup" in text
    assert "sop" not in text


async def test_a_group_that_becomes_a_supergroup_is_followed(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Its memory and its place on the allowlist go along, over a restart too; its numbers begin anew."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("remember the lever", mention=True)
    await telegram.wait_sent(1)
    await asyncio.sleep(0.3)
    new = {**GROUP, "id": -100999}
    telegram.push(
        {
            "message": {"message_id": 900, "date": 1, "chat": GROUP, "from": fake_telegram.ALICE}
            | {"migrate_to_chat_id": new["id"]}
        }
    )
    telegram.say("what lever?", chat=new, mention=True)
    await telegram.wait_sent(2)
    assert "remember the lever" in daemon.voice.encoding.text(daemon.engine.asked[-1].ids)
    await daemon.stop()
    await start_daemon(bare_home)
    telegram.say("still there?", chat=new, mention=True)
    await telegram.wait_sent(3)
    assert [int(one["chat_id"]) for one in telegram.sent] == [GROUP["id"], new["id"], new["id"]]


async def test_who_is_forgotten_is_in_no_file_of_the_store_by_id_name_or_words(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Nor in the persona's own words to them, where it repeated theirs."""
    daemon = await start_daemon(on_telegram(bare_home, telegram, "feedback = true\nintroduce = true\n"))
    daemon.engine.words = lambda _: "well Quentinette, zebraphone it is"
    asker = {**fake_telegram.ALICE, "id": 987654321, "first_name": "Quentinette", "username": "quentinette"}
    telegram.say("the zebraphone?", author=asker, mention=True)
    await telegram.wait_sent(2)
    telegram.push({"message": {**telegram._message(GROUP, asker, "zebraphone"), "date": "never"}})
    telegram.say("/forget", author=asker)
    assert "Forgotten" in (await telegram.wait_sent(3))[2]["text"]
    await daemon.stop()
    files = {path.name: path.read_bytes() for path in bare_home.folder.glob("alterego.db*")}
    words = (b"Quentinette", b"QUENTINETTE", b"zebraphone", b"987654321")
    assert files
    assert [(name, word) for name, content in files.items() for word in words if word in content] == []
