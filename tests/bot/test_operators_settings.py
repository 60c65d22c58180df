"""What an operator sets: whom it hears, where, in what manner, and how it is told to be quiet or to take words back."""

import asyncio
import time
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import BotStore
from tests.bot.test_discord_bot import on_discord
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, Running, StartDaemon
from tests.fakes.fake_discord import ALICE, BEN, BOT_ID, CHANNEL_ID, DM_ID, GUILD_ID, FakeDiscord
from tests.fakes.fake_telegram import GROUP, FakeTelegram

MODERATOR = 1 << 13  # manage messages
ROLE = "500000000000000001"
THREAD = "700000000000000001"


async def remembered(store: BotStore) -> list[str]:
    """The lines of every message that the store holds."""
    query = sa.text("select lines from memory order by id")
    return await store.database.read(lambda read: [str(row[0]) for row in read.execute(query)])


async def reasons(store: BotStore) -> dict[str, str]:
    """Why each message was not answered, by its id."""
    query = sa.text("select message_id, reason from inbox where verdict <> 'answered'")
    return await store.database.read(lambda read: {str(row[0]): str(row[1]) for row in read.execute(query)})


_OPEN_POSTS = sa.text("select count(*) from outbox where state in ('ready', 'sending')")


async def until(daemon: Running, verdicts: int) -> dict[str, int]:
    """The verdicts, once there are so many, none waits and every post is known to be made: the platform knows of it first."""
    async with asyncio.timeout(20):
        while True:
            counts = await daemon.store.inbox.verdicts()
            open_posts = await daemon.store.database.read(lambda read: read.execute(_OPEN_POSTS).scalar_one())
            if "waiting" not in counts and sum(counts.values()) >= verdicts and not open_posts:
                return counts
            await asyncio.sleep(0.01)


def discord_settings(home: Home, discord: FakeDiscord, keys: str, talk: str = "") -> Home:
    """The daemon's settings with more keys of [discord], and more of [talk] and after it."""
    on_discord(home, discord, talk)
    return home.settings(home.config.read_text().replace("[discord]\n", f"[discord]\n{keys}\n"))


async def test_blocked_people_and_roles_are_neither_answered_nor_remembered(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Live, and in history, which tells nobody's roles: they are asked for."""
    carl = {**ALICE, "id": "400000000000000003", "username": "carl"}
    left = {**ALICE, "id": "400000000000000004", "username": "left"}
    discord.roles = {carl["id"]: [ROLE]}
    discord.gone = {left["id"]}
    discord_settings(bare_home, discord, f'block = ["{BEN["id"]}", {ROLE}]')
    first = await start_daemon(bare_home)
    await discord.wait_connected()
    await discord.wait_caught_up()
    await discord.say("by Ben", author=BEN, mention=True)
    await discord.say("by Carl", author=carl, mention=True)
    await discord.say("by Alice", mention=True)
    assert await until(first, 1) == {"answered": 1}
    await first.stop()
    for _ in range(2):
        await discord.say("Carl again", author=carl, mention=True, live=False)
    await discord.say("I left", author=left, mention=True, live=False)
    await discord.say("Ben again", author=BEN, mention=True, live=False)
    second = await start_daemon(bare_home)
    assert await until(second, 2) == {"answered": 2}
    assert not [line for line in await remembered(second.store) if "Ben" in line or "Carl" in line]
    assert {carl["id"], left["id"]} <= set(discord.asked_members)
    assert BEN["id"] not in discord.asked_members


async def test_a_named_bot_may_call_it_by_name_and_no_other(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A reply, which Discord counts as a mention, is no call from a bot: two that answer each other never stop."""
    helper = {**ALICE, "id": "400000000000000007", "username": "helper"}
    discord_settings(bare_home, discord, f"bots = [{helper['id']}]", "reply_to = ['mention', 'reply', 'name']\n")
    daemon = await start_daemon(bare_home)
    await discord.wait_connected()
    await discord.say("hello", author=helper, bot=True, mention=True)
    post = (await discord.wait_posts(1))[0]
    bot = {"id": BOT_ID, "username": "persona", "discriminator": "0", "avatar": None, "bot": True}
    await discord.say("indeed, Mara", author=helper, bot=True, reply_to=post["id"], mentions=[bot])
    await discord.say("me too", author={**ALICE, "id": "8"}, bot=True, mention=True)
    await discord.say("and I", mention=True)
    assert await until(daemon, 2) == {"answered": 2}
    assert len(await discord.wait_posts(2)) == 2


async def test_servers_that_are_not_named_are_not_heard(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Nor do their moderators command it."""
    discord_settings(bare_home, discord, "guilds = [42]")
    daemon = await start_daemon(bare_home)
    await discord.wait_connected()
    await discord.say("hello?", mention=True)
    assert await discord.command("reset", author=BEN, permissions=MODERATOR) == "/reset is for moderators."
    assert (await remembered(daemon.store), discord.posts) == ([], [])
    discord_settings(bare_home, discord, f"guilds = [{GUILD_ID}]")
    await daemon.stop()
    await start_daemon(bare_home)
    await discord.wait_connected()
    await discord.say("hello?", mention=True)
    await discord.wait_posts(1)


@pytest.mark.parametrize(
    ("keys", "author", "answered"),
    [
        (f"channels = [{CHANNEL_ID}]", BEN, False),
        (f"channels = [{CHANNEL_ID}]\ndms = true", BEN, True),
        (f"channels = [{CHANNEL_ID}]", ALICE, True),  # the application's owner
        (f"guilds = [{GUILD_ID}]\nowners = [1]\nusers = [{BEN['id']}]", BEN, True),
        ("dms = false", BEN, False),
        ("", BEN, True),
    ],
)
async def test_private_messages_of_strangers_are_closed_where_channels_are_named(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, keys: str, author: dict[str, Any], answered: bool
) -> None:
    """Unless the settings say otherwise; owners and named people may always write."""
    daemon = await start_daemon(discord_settings(bare_home, discord, keys))
    await discord.wait_connected()
    await discord.say("private", author=author, channel=DM_ID)
    await discord.say("common", mention=True, author=author)
    await until(daemon, 1 + answered)
    assert any("private" in line for line in await remembered(daemon.store)) is answered


async def test_a_private_message_that_is_never_answered_is_not_stored(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Nobody talks there but one person and a machine that says nothing."""
    daemon = await start_daemon(on_discord(bare_home, discord, "reply_to = ['mention']\n"))
    await discord.wait_connected()
    await discord.say("a secret", channel=DM_ID)
    await discord.say("hello?", mention=True)
    await until(daemon, 1)
    assert not [line for line in await remembered(daemon.store) if "secret" in line]


async def test_the_nearest_place_wins_and_a_thread_is_in_its_channel(
    bare_home: Home, discord_of_two: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A server's keys go over [talk], a channel's over those, and hold in its threads; also after a restart."""
    discord = discord_of_two
    discord.threads[THREAD] = CHANNEL_ID
    discord.messages[THREAD] = []
    other = discord.channels[1]
    place = f'[[place]]\nmatch = "discord:{GUILD_ID}"\nreply_to = ["reply"]\nbursts = false\n'
    place += f'[[place]]\nmatch = "discord:{CHANNEL_ID}"\nreply_to = ["mention"]\n'
    daemon = await start_daemon(on_discord(bare_home, discord, place))
    daemon.engine.words = lambda _: f"one {len(discord.posts)}\ntwo {len(discord.posts)}"
    await discord.wait_connected()
    await discord.say("here", mention=True)
    await discord.say("in the thread", mention=True, channel=THREAD)
    await discord.say("elsewhere", mention=True, channel=other)
    await until(daemon, 2)
    posts = await discord.wait_posts(2)
    assert {post["channel"] for post in posts} == {CHANNEL_ID, THREAD}
    assert all("\n" in post["content"] for post in posts), "no bursts in this server"
    assert await daemon.store.channels.surroundings(f"discord:{BOT_ID}") == {
        f"discord:{CHANNEL_ID}": (f"discord:{GUILD_ID}",),
        f"discord:{THREAD}": (f"discord:{CHANNEL_ID}", f"discord:{GUILD_ID}"),
        f"discord:{other}": (f"discord:{GUILD_ID}",),
    }


async def test_quiet_holds_in_threads_and_in_a_whole_server(
    bare_home: Home, discord_of_two: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """`/quiet 2h server` says so of all its channels; `/quiet 0` in one of them says what still holds."""
    discord = discord_of_two
    discord.threads[THREAD] = CHANNEL_ID
    discord.messages[THREAD] = []
    other = discord.channels[1]
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    moderator: dict[str, Any] = {"author": BEN, "permissions": MODERATOR}
    assert "quiet here until" in await discord.command("quiet", "2h", **moderator)
    in_thread = await discord.say("in the thread", mention=True, channel=THREAD)
    await discord.say("elsewhere", mention=True, channel=other)
    assert await until(daemon, 2) == {"declined": 1, "answered": 1}
    assert await reasons(daemon.store) == {in_thread: "quiet"}
    assert await discord.command("quiet", "0", **moderator) == "I speak here again."
    assert "in all of this server until" in await discord.command("quiet", "2h server", channel=other, **moderator)
    await discord.say("here", mention=True)
    await discord.say("in the thread again", mention=True, channel=THREAD)
    assert await until(daemon, 4) == {"declined": 3, "answered": 1}
    assert "still quiet" in await discord.command("quiet", "0", **moderator)
    assert await discord.command("quiet", "0 server", **moderator) == "I speak in all of this server again."
    await discord.say("and now", mention=True)
    assert await until(daemon, 5) == {"declined": 3, "answered": 2}


async def test_quiet_in_a_telegram_group_holds_in_its_topics(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """The group is what a topic lies in; an answer to a command stays in its topic."""
    telegram.admins = {555}
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.groups = [{**telegram.groups[0], "is_forum": True}]
    topic: dict[str, Any] = {"message_thread_id": 7, "is_topic_message": True}
    telegram.say("/quiet 2h group", **topic)
    (answer,) = await telegram.wait_sent(1)
    assert "in all of this server until" in answer["text"]
    assert answer["message_thread_id"] == 7
    telegram.say("hello?", mention=True)
    telegram.say("hello?", mention=True, message_thread_id=8, is_topic_message=True)
    assert await until(daemon, 2) == {"declined": 2}


async def test_moderators_read_who_gave_which_command(
    bare_home: Home, discord_of_two: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Names as Discord shows them; nothing of what people ask for themselves, and nobody is pinged."""
    discord = discord_of_two
    log = discord.channels[1]
    daemon = await start_daemon(on_discord(bare_home, discord, f'log = "discord:{log}"\n'))
    await discord.wait_connected()
    await discord.command("about", author=BEN)
    await discord.command("optout", author=BEN)
    await discord.command("quiet", "2h", author=BEN, permissions=MODERATOR)
    (line,) = await discord.wait_posts(1)
    assert line["channel"] == log
    assert line["content"] == f"<@{BEN['id']}> gave /quiet 2h in <#{CHANNEL_ID}>"
    assert line["allowed_mentions"] == {"parse": []}
    assert await remembered(daemon.store) == []


async def test_an_answer_is_taken_back_whole_and_forgotten(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """All its messages, by whoever was answered or by a moderator; nobody else. Also from the menu of a message."""
    daemon = await start_daemon(on_discord(bare_home, discord, "feedback = true\n"))
    daemon.engine.words = lambda _: f"one {len(discord.posts)}\ntwo {len(discord.posts)}"
    await discord.wait_connected()
    assert "nothing here" in await discord.command("takeback", author=BEN)
    await discord.say("first", mention=True, author=BEN)
    first = [post["id"] for post in await discord.wait_posts(2)]
    await discord.say("second", mention=True)
    second = [post["id"] for post in await discord.wait_posts(4)][2:]
    await until(daemon, 2)
    assert "Only moderators" in await discord.command("takeback", author=BEN)
    taken = await discord.command("Take that back", author=BEN, about=first[1])
    assert taken == "Taken back, and forgotten."
    left = {message["id"] for message in discord.messages[CHANNEL_ID]}
    assert (left & {*first, *second}) == set(second)
    assert await discord.command("takeback", author=BEN, permissions=MODERATOR) == taken
    assert not {message["id"] for message in discord.messages[CHANNEL_ID]} & {*first, *second}
    lines = await remembered(daemon.store)
    assert not [line for line in lines if "one" in line or "two" in line]
    counted = sa.text("select (select count(*) from answers) + (select count(*) from outbox)")
    assert await daemon.store.database.read(lambda read: read.execute(counted).scalar()) == 0
    asked = await discord.say("not mine")
    assert "I didn't say that." in await discord.command("Take that back", about=asked)


async def test_on_telegram_a_reply_says_which_answer_is_taken_back(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """One that is gone already is taken back too."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("one", mention=True)
    (first,) = await telegram.wait_sent(1)
    telegram.say("two", mention=True)
    await telegram.wait_sent(2)
    await until(daemon, 2)
    telegram.deleted.add(first["message_id"])
    telegram.say("/takeback", reply_to=first["message"])
    assert (await telegram.wait_sent(3))[-1]["text"] == "Taken back, and forgotten."
    lines = await remembered(daemon.store)
    assert (len([line for line in lines if "sure" in line]), telegram.deleted) == (1, {first["message_id"]})


@pytest.mark.parametrize("introduces", [False, True])
async def test_a_tweet_into_a_forum_opens_a_thread(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, introduces: bool
) -> None:
    """Called as its text begins. That it is a machine stands below the first one, not in a thread of its own."""
    discord.types[CHANNEL_ID] = 15
    tweets = (
        f'[tweets]\nenabled = true\nevery = "1s"\njitter = "0s"\nhours = "00:00-00:00"\nto = ["discord:{CHANNEL_ID}"]\n'
    )
    introduce = "introduce = true\n" if introduces else ""
    daemon = await start_daemon(on_discord(bare_home, discord, introduce + tweets))
    longer = "and so is the toaster, which burns one side of every slice and blames the weather for it, like my uncle"
    daemon.engine.words = lambda _: f"{len(daemon.engine.asked)} the kettle is a liar {longer}"
    await discord.wait_posts(1)
    daemon.engine.words = lambda _: f"my bicycle has {len(daemon.engine.asked)} opinions about rain"
    (post, later, *_) = await discord.wait_posts(2)
    assert ("machine that imitates" in post["content"].split("\n\n")[-1]) is introduces
    assert "machine" not in later["content"]
    assert discord.threads[post["channel"]] == CHANNEL_ID
    assert post["title"].endswith("…")
    assert post["content"].startswith(post["title"][:-1])


async def test_a_category_as_a_target_is_told_when_the_daemon_starts(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    """Not when the first tweet is due, hours later."""
    discord.types[CHANNEL_ID] = 4
    tweets = f'[tweets]\nenabled = true\nevery = "9h"\nto = ["discord:{CHANNEL_ID}"]\n'
    await start_daemon(on_discord(bare_home, discord, tweets))
    await discord.wait_caught_up()
    told = [record.getMessage() for record in caplog.records if "category" in record.getMessage()]
    assert told == [
        f"target is a category, which takes no posts channel=discord:{CHANNEL_ID}; "
        "name a channel, a thread or a forum in it in [tweets] to"
    ]


async def test_it_introduces_itself_once_to_each_channel_and_person(
    bare_home: Home, discord_of_two: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Before its first words there, in a post of its own that no prompt shows; forgotten with the person."""
    discord = discord_of_two
    daemon = await start_daemon(on_discord(bare_home, discord, "introduce = true\n"))
    await discord.wait_connected()
    machine = "I am a machine that imitates Mara Voss; Mara Voss did not write this. /about says more."
    other = discord.channels[1]
    places = [(ALICE, CHANNEL_ID, True), (ALICE, CHANNEL_ID, False), (BEN, CHANNEL_ID, True), (BEN, other, True)]
    count = 0
    for author, channel, introduced in places:
        await discord.say("hello", author=author, channel=channel, mention=True)
        count += 1 + introduced
        posts = (await discord.wait_posts(count))[count - 1 - introduced :]
        assert (posts[0]["content"] == machine) is introduced
        await until(daemon, 1)
    assert not any("machine" in line for line in await remembered(daemon.store))
    await daemon.store.people.forget("discord", BEN["id"])
    await discord.say("hello again", author=BEN, mention=True)
    assert (await discord.wait_posts(count + 2))[count]["content"] == machine


async def test_only_the_last_of_last_nights_mentions_is_answered(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Not twenty within three seconds. Of other channels, and of what is fresh, each."""
    night: dict[str, Any] = {"date": int(time.time()) - 8 * 3600}
    for number in range(20):
        telegram.say(
            f"number {number}", mention=True, author={"id": number + 1, "is_bot": False, "first_name": "A"}, **night
        )
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    assert await until(daemon, 20) == {"declined": 19, "answered": 1}
    assert set((await reasons(daemon.store)).values()) == {"newer waits"}
    assert (await telegram.wait_sent(1))[0]["chat_id"] == GROUP["id"]
    for _ in range(2):
        telegram.say("now", mention=True)
    assert await until(daemon, 22) == {"declined": 19, "answered": 3}


async def test_how_late_an_answer_may_be_is_a_setting(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """[talk] expires."""
    telegram.say("an hour ago", mention=True, date=int(time.time()) - 3600)
    daemon = await start_daemon(on_telegram(bare_home, telegram, "expires = '30m'\n"))
    assert await until(daemon, 1) == {"expired": 1}
