"""Reactions, stickers and custom emoji: heard from people and made by the persona, never posted as text."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tests.bot.test_discord_bot import on_discord
from tests.bot.test_memory import prompts, until_settled
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, Running, StartDaemon
from tests.fakes import fake_telegram
from tests.fakes.fake_discord import ALICE, BEN, GUILD_ID, FakeDiscord
from tests.fakes.fake_telegram import GROUP, FakeTelegram

PEPE, WAVE = "123456789012345678", "123456789012345679"


def emoji(name: str, number: str, *, animated: bool = False, available: bool = True) -> dict[str, Any]:
    rest = {"roles": [], "require_colons": True, "managed": False}
    return {"id": number, "name": name, "animated": animated, "available": available, **rest}


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    """Return once something holds."""
    async with asyncio.timeout(seconds):
        while True:
            result = holds()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.02)


async def rows(daemon: Running, channel: str, count: int) -> None:
    """Return once so many messages are remembered in a channel."""

    async def holds() -> bool:
        account = next(iter(await daemon.store.channels.accounts(channel.partition(":")[0])), "")
        return len(await daemon.store.memory.latest(account, channel, 99)) == count

    await until(holds)


# heard


async def test_reactions_on_discord_are_heard_where_they_belong(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Behind the turn they are to, with a quote if they are to an earlier line of it; gone when taken back or cleared. What
    is not remembered has none; of a crowd two stand there."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    channel = f"discord:{discord.channels[0]}"
    await discord.wait_connected()
    early = await discord.say("a swan bit me")
    late = await discord.say("twice", author=ALICE)
    await discord.say("ouch", author=BEN)
    await discord.react(early, "😂", author=BEN)
    await discord.react(late, "pepe_sad", author=BEN, number=PEPE)
    for number in range(3, 6):
        await discord.react(late, "❤️", author={**BEN, "id": str(number), "global_name": f"P{number}"})
    await discord.react(late, "🎉", author=ALICE)
    await discord.react("1", "😂", author=BEN)
    await rows(daemon, channel, 3 + 6)
    await discord.say("and you?", mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon)[0] == [
        "ALICE:\na swan bit me\ntwice",
        "BEN:\n> ALICE: a swan bit me\n[react 😂]",
        "BEN:\n[react :pepe_sad:]",
        "P3:\n[react ❤️]",
        "BEN:\nouch",
        "ALICE:\nand you?",
    ]
    await discord.react(early, "😂", author=BEN, back=True)
    await discord.tell("MESSAGE_REACTION_REMOVE_ALL", {"channel_id": discord.channels[0], "message_id": late})
    await rows(daemon, channel, 3 + 2)
    await discord.say("hm", mention=True)
    await discord.wait_posts(2)
    assert not any("react" in turn for turn in prompts(daemon)[1])
    assert 'alterego_reactions_total{platform="discord",result="received"} 6.0' in daemon.daemon.metrics.text().decode()


async def test_reactions_on_telegram_are_heard(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """In topics too, of which Telegram doesn't tell; custom ones as the emoji they stand for; of anonymous admins."""
    telegram.groups = [{**GROUP, "is_forum": True}]
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    in_topic: dict[str, Any] = {"message_thread_id": 5, "is_topic_message": True}
    number = telegram.say("a swan bit me", **in_topic)
    laugh, frog = {"type": "emoji", "emoji": "😁"}, {"type": "custom_emoji", "custom_emoji_id": "77"}
    ben = {**fake_telegram.ALICE, "id": 9, "first_name": "Ben", "username": "ben"}
    telegram.react(number, [], [laugh], user=ben)
    telegram.react(number, [laugh], [frog], user=ben)
    telegram.react(number, [], [laugh], actor_chat=GROUP)
    await rows(daemon, f"telegram:{GROUP['id']}:5", 3)
    telegram.say("and?", mention=True, **in_topic)
    await telegram.wait_sent(1)
    assert prompts(daemon)[0] == [
        "ALICE:\na swan bit me",
        "BEN:\n[react 🐸]",
        "FRIENDS:\n[react 😁]",
        "ALICE:\nand?",
    ]


async def test_who_opted_out_does_not_react(bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon) -> None:
    """Nor do bots."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    told = await discord.say("a swan bit me")
    await discord.command("optout", author=BEN)
    await discord.react(told, "😂", author=BEN)
    await discord.react(told, "😂", author={**BEN, "id": "5", "bot": True})
    await discord.react(told, "🎉", author=ALICE)
    await rows(daemon, f"discord:{discord.channels[0]}", 2)
    await discord.say("and?", mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon)[0] == ["ALICE:\na swan bit me", "ALICE:\n[react 🎉]", "ALICE:\nand?"]


# made


@pytest.mark.parametrize(
    ("said", "made"), [("[react 😂]", "😂"), ("[react ❤]", "❤️"), ("[react :pepe_sad:]", f"pepe_sad:{PEPE}")]
)
async def test_a_reply_that_is_a_reaction_becomes_one_on_discord(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, said: str, made: str
) -> None:
    """To the message that it answers; it is remembered, and may be the same again next time."""
    discord.emojis = [emoji("pepe_sad", PEPE)]
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: said
    await discord.wait_connected()
    asked = [await discord.say("a swan bit me", mention=True), await discord.say("again", author=BEN, mention=True)]
    assert await until_settled(bare_home, 2) == [(number, "answered") for number in asked]
    await until(lambda: len(discord.reactions) == 2)
    assert discord.reactions == [(number, made) for number in asked]
    assert discord.posts == []
    daemon.engine.words = lambda _: "sorry"
    await discord.say("well?", mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon)[-1] == [
        "ALICE:\na swan bit me",
        f"MARA VOSS:\n{said}",
        "BEN:\nagain",
        f"MARA VOSS:\n{said}",
        "ALICE:\nwell?",
    ]


async def test_who_is_met_for_the_first_time_is_told_what_it_is_and_reacted_to(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """The introduction comes first, and the reaction is still to the message that it answers."""
    daemon = await start_daemon(on_discord(bare_home, discord, "introduce = true\n"))
    daemon.engine.words = lambda _: "[react 😂]"
    await discord.wait_connected()
    asked = await discord.say("a swan bit me", mention=True)
    await until(lambda: len(discord.reactions) == 1)
    assert discord.reactions == [(asked, "😂")]
    assert len(discord.posts) == 1


@pytest.mark.parametrize("said", ["[react :unknown:]", "[react hello]", "[react ]", "[react 😂😂]"])
async def test_a_reaction_that_discord_has_not_is_declined(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, said: str
) -> None:
    """Or nothing is said: it is never posted as text."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: said
    await discord.wait_connected()
    asked = await discord.say("a swan bit me", mention=True)
    ((number, verdict),) = await until_settled(bare_home, 1)
    assert (number, verdict in ("declined", "silenced")) == (asked, True)
    assert (discord.posts, discord.reactions) == ([], [])
    if said == "[react :unknown:]":
        reasons = daemon.daemon.metrics.text().decode()
        assert 'alterego_verdicts_total{reason="reaction not allowed",verdict="declined"} 1.0' in reasons


@pytest.mark.parametrize(
    ("said", "allowed", "made"),
    [
        ("[react 😁]", None, ["😁"]),
        ("[react ❤️]", None, ["❤"]),
        ("[react ✅]", None, None),
        ("[react 😁]", [{"type": "emoji", "emoji": "👍"}], None),
        ("[react 👍]", [{"type": "emoji", "emoji": "👍"}, {"type": "custom_emoji", "custom_emoji_id": "7"}], ["👍"]),
    ],
)
async def test_a_reply_that_is_a_reaction_becomes_one_on_telegram(
    bare_home: Home,
    telegram: FakeTelegram,
    start_daemon: StartDaemon,
    said: str,
    allowed: list[dict[str, str]] | None,
    made: list[str] | None,
) -> None:
    """If it is one of Telegram's, and the chat allows it; else the message is declined."""
    telegram.allowed = allowed
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: said
    asked = telegram.say("a swan bit me", mention=True)
    await until(lambda: (bare_home.folder / "alterego.db").exists())
    assert await until_settled(bare_home, 1) == [(str(asked), "answered" if made else "declined")]
    await until(lambda: bool(telegram.reactions) == bool(made))
    assert telegram.reactions.get((GROUP["id"], asked)) == made
    assert telegram.sent == []


async def test_a_reaction_whose_answer_was_lost_is_made_once_on_telegram(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """It is there once, however often it is made: it is tried again, and is not uncertain as a message would be."""
    failures = [500, 500]

    async def trouble(moment: str, _request: web.Request) -> web.StreamResponse | None:
        if moment != "after setMessageReaction" or not failures:
            return None
        return telegram._answer(False, failures.pop(), description="Internal", error_code=500)

    telegram.trouble = trouble
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: "[react 😁]"
    asked = telegram.say("a swan bit me", mention=True)
    await rows(daemon, f"telegram:{GROUP['id']}", 2)
    assert failures == []
    assert telegram.reactions == {(GROUP["id"], asked): ["😁"]}
    assert await daemon.store.inbox.verdicts() == {"answered": 1}
    assert 'alterego_reactions_total{platform="telegram",result="sent"} 1.0' in daemon.daemon.metrics.text().decode()


async def test_custom_emoji_go_out_as_those_of_the_server_or_the_application(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Animated ones too; unknown ones and those that nobody may use are left out, times and code stay."""
    discord.emojis = [emoji("pepe_sad", PEPE), emoji("gone", "5" * 18, available=False)]
    discord.application_emojis = [emoji("wave", WAVE, animated=True), emoji("pepe_sad", "9" * 18)]
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: "oh :pepe_sad: :wave:\n:nobody:\nat 10:30:15 :gone: `a[:x:]` _no_"
    await discord.wait_connected()
    await discord.say("hm?", mention=True)
    await discord.wait_posts(2)
    assert [post["content"] for post in discord.posts] == [
        f"oh <:pepe_sad:{PEPE}> <a:wave:{WAVE}>",
        "at 10:30:15 `a[:x:]` \\_no\\_",
    ]
    await discord.say("and?", mention=True)
    await until(lambda: len(daemon.engine.asked) > 1)
    assert "MARA VOSS:\noh :pepe_sad: :wave:\nat 10:30:15 `a[:x:]` _no_" in prompts(daemon)[1]


async def test_on_telegram_names_of_emoji_are_left_out(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """It has none; the emoji itself stays."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: "oh :pepe_sad: 🐸"
    telegram.say("hm?", mention=True)
    assert (await telegram.wait_sent(1))[0]["text"] == "oh 🐸"


async def test_an_emoji_goes_out_as_the_chat_s_custom_one(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """As it was used there last, in that very chat; plain if Telegram refuses the custom one."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: "𝄞 oh 🐸 🐸"
    entity = {"type": "custom_emoji", "offset": 5, "length": 2, "custom_emoji_id": "5368324170671202286"}
    telegram.say("croak🐸", entities=[entity])
    telegram.say("croak 👍🏽🐸", entities=[{**entity, "offset": 10}])
    telegram.say("hm?", mention=True)
    (sent,) = await telegram.wait_sent(1)
    assert sent["text"] == "𝄞 oh 🐸 🐸"
    assert sent["entities"] == [{**entity, "offset": 6}, {**entity, "offset": 9}]
    telegram.say("hm?", chat=fake_telegram.PRIVATE)
    assert "entities" not in (await telegram.wait_sent(2))[1]
    daemon.engine.words = lambda _: "ah 🐸"
    telegram.custom_emoji = set()
    telegram.say("and?", mention=True)
    assert "entities" not in (await telegram.wait_sent(3))[2]
    telegram.custom_emoji = None
    daemon.engine.words = lambda _: "eh 🐸"
    telegram.say("so?", mention=True)
    assert "entities" not in (await telegram.wait_sent(4))[3]  # it isn't asked for again at every post
    telegram.say("croak🐸", entities=[entity])
    telegram.say("🐸")
    daemon.engine.words = lambda _: "uh 🐸"
    telegram.say("and now?", mention=True)
    assert "entities" not in (await telegram.wait_sent(5))[4]


async def test_a_sticker_is_one_of_the_servers(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """By name or emoji, behind what is said; another one is left out."""
    made = {"id": "555", "name": "swan", "description": "", "tags": "🦢", "type": 2, "format_type": 1}
    discord.stickers = [{**made, "available": True, "guild_id": GUILD_ID}]
    daemon = await start_daemon(on_discord(bare_home, discord))
    words = iter(["look\n[sticker swan]", "[sticker 🦢]\n[sticker dog]"])
    daemon.engine.words = lambda _: next(words)
    await discord.wait_connected()
    await discord.say("hm?", mention=True)
    await discord.wait_posts(2)
    await discord.say("again?", mention=True)
    await discord.wait_posts(3)
    said = [(post.get("content"), post.get("sticker_ids")) for post in discord.posts]
    assert said == [("look", None), (None, [555]), (None, [555])]


async def test_a_sticker_on_telegram_is_one_that_was_seen(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """In that very chat."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    daemon.engine.words = lambda _: "[sticker 😀]"
    size = {"width": 1, "height": 1, "is_animated": False, "is_video": False, "type": "regular"}
    telegram.say("", sticker={"file_id": "seen", "file_unique_id": "s", "emoji": "😀", **size})
    telegram.say("hm?", mention=True)
    assert (await telegram.wait_sent(1))[0]["sticker"] == "seen"
    private = telegram.say("hm?", chat=fake_telegram.PRIVATE)
    assert (await until_settled(bare_home, 2))[1] == (str(private), "silenced")
    assert len(telegram.sent) == 1
