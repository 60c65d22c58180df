"""What the daemon remembers: history, edits, deletions, merging, opt-outs, and nothing from another room."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.bot.test_discord_bot import on_discord, verdicts
from tests.conftest import Home, Running, StartDaemon
from tests.fakes.fake_discord import ALICE, BEN, BOT_ID, CHANNEL_ID, DM_ID, FakeDiscord


def prompts(daemon: Running) -> list[list[str]]:
    """The turns of every prompt so far."""
    return [daemon.voice.encoding.text(one.ids).strip().split("\n\n")[1:-1] for one in daemon.engine.asked]


def patient(home: Home, discord: FakeDiscord, merge: str = "1.5s") -> Home:
    """Settings with a window in which people may go on."""
    on_discord(home, discord)
    home.settings(home.config.read_text().replace("merge = '0s'", f'merge = "{merge}"'))
    return home


async def until_asked(daemon: Running, count: int, seconds: float = 20) -> None:
    """Return when the engine was asked so often."""
    async with asyncio.timeout(seconds):
        while len(daemon.engine.asked) < count:
            await asyncio.sleep(0.01)


async def until_settled(home: Home, count: int, seconds: float = 20) -> list[tuple[str, str | None]]:
    """The verdicts, once there are so many."""
    async with asyncio.timeout(seconds):
        while True:
            found = [one for one in verdicts(home) if one[1]]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


@pytest.fixture
def two_rooms() -> Iterator[FakeDiscord]:
    yield FakeDiscord(channels=2)


async def test_what_was_said_before_the_first_contact_is_read_from_history(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Once, oldest first, people's words and its own; not those of other bots."""
    await discord.say("we need flour", author=BEN, live=False)
    await discord.say("beep", bot=True, live=False)
    own = {"id": BOT_ID, "username": "persona", "discriminator": "0", "avatar": None}
    await discord.say("buy two", author=own, bot=True, live=False)
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("how many?", mention=True)
    await discord.wait_posts(1)
    await discord.say("sure?", mention=True)
    await discord.wait_posts(2)
    first, second = prompts(daemon)
    assert first == ["BEN:\nwe need flour", "MARA VOSS:\nbuy two", "ALICE:\nhow many?"]
    assert second == [*first, "MARA VOSS:\nsure, number 1", "ALICE:\nsure?"]


async def test_private_messages_leak_nowhere(bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon) -> None:
    """Neither into the group nor back."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("my pin is 4711", channel=DM_ID)
    await discord.wait_posts(1)
    await discord.say("we talk about soup", mention=True)
    await discord.wait_posts(2)
    await discord.say("and now?", channel=DM_ID)
    await discord.wait_posts(3)
    private, group, again = ("\n".join(one) for one in prompts(daemon))
    assert "4711" in private
    assert "4711" not in group
    assert "soup" not in again


async def test_rooms_do_not_mix(bare_home: Home, start_daemon: StartDaemon, two_rooms: FakeDiscord) -> None:
    """A channel's prompt holds that channel."""
    await two_rooms.start()
    daemon = await start_daemon(on_discord(bare_home, two_rooms))
    await two_rooms.wait_connected()
    await two_rooms.say("only in the kitchen", channel=two_rooms.channels[0])
    await two_rooms.say("and here?", channel=two_rooms.channels[1], mention=True)
    await two_rooms.wait_posts(1)
    assert prompts(daemon) == [["ALICE:\nand here?"]]
    await daemon.stop()
    await two_rooms.stop()


async def test_quick_messages_of_one_person_are_answered_as_one(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """One of them is answered, the others are merged, and the answer was made of all."""
    daemon = await start_daemon(patient(bare_home, discord))
    await discord.wait_connected()
    await discord.command("about")
    first = await discord.say("hey", mention=True)
    await asyncio.sleep(0.1)
    second = await discord.say("about the soup", mention=True)
    await discord.say("is it done?")
    await discord.wait_posts(1)
    assert await until_settled(bare_home, 2) == [(first, "answered"), (second, "merged")]
    assert prompts(daemon)[-1] == ["ALICE:\nhey\nabout the soup\nis it done?"]
    await asyncio.sleep(0.3)
    assert len(discord.posts) == 1


async def test_an_edit_within_the_window_updates_what_is_answered(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """And what is remembered afterwards."""
    daemon = await start_daemon(patient(bare_home, discord))
    await discord.wait_connected()
    await discord.command("about")
    asked = await discord.say("do you like sop?", mention=True)
    await until_asked(daemon, 1)
    await discord.edit(asked, "do you like soup?")
    await discord.wait_posts(1)
    assert prompts(daemon) == [["ALICE:\ndo you like sop?"], ["ALICE:\ndo you like soup?"]]


async def test_a_deleted_trigger_is_not_answered(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Whether it was being answered or still waited; nothing is posted, and nothing remembered."""
    daemon = await start_daemon(patient(bare_home, discord))
    await discord.wait_connected()
    await discord.command("about")
    first = await discord.say("forget it", mention=True)
    second = await discord.say("this too", mention=True, author=BEN)
    await until_asked(daemon, 1)
    await discord.delete(first)
    await discord.delete(second, "1")
    assert await until_settled(bare_home, 2) == [(first, "declined"), (second, "declined")]
    kept = await discord.say("hello", mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon)[-1] == ["ALICE:\nhello"]
    assert (await until_settled(bare_home, 3))[-1] == (kept, "answered")


async def test_who_opted_out_is_neither_stored_nor_answered_nor_quoted(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """From now on, and for what was said before; /optin takes it back."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("I had soup", author=BEN)
    await discord.say("hello", mention=True)
    await discord.wait_posts(1)
    told = await discord.command("optout", author=BEN)
    assert "1 messages" in told
    assert "neither store nor answer" in told
    await discord.say("not for you", author=BEN, mention=True)
    await discord.say("what did Ben have?", mention=True)
    await discord.wait_posts(2)
    assert not any("BEN" in turn for turn in prompts(daemon)[1])
    assert await discord.command("optin", author=BEN) == "I listen to you again."
    back = await discord.say("and me?", author=BEN, mention=True)
    await discord.wait_posts(3)
    assert prompts(daemon)[2][-1] == "BEN:\nand me?"
    assert [one for one, _ in await until_settled(bare_home, 3)][-1] == back
    assert CHANNEL_ID in discord.messages
    assert ALICE["id"] != BEN["id"]


async def test_nothing_is_said_twice_in_a_row_in_a_channel(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A repeated draft is made anew, and at last left unsaid; another channel may hear it."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: "lol"
    await discord.wait_connected()
    await discord.say("one", mention=True)
    await discord.wait_posts(1)
    second = await discord.say("two", mention=True)
    assert (await until_settled(bare_home, 2))[1] == (second, "silenced")
    assert len(daemon.engine.asked) == 1 + 3
    await discord.say("three", channel=DM_ID)
    await discord.wait_posts(2)


async def test_edits_and_deletions_of_a_long_past_are_nobodys_problem(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """They touch what is remembered, and nothing else."""
    old = await discord.say("from before", live=False)
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.edit(old, "changed")
    await discord.delete(old)
    await discord.say("hi", mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon) == [["ALICE:\nhi"]]
