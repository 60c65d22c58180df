"""People are called what they are called now, whoever they write as."""

from typing import Any

from tests.bot.test_discord_bot import on_discord
from tests.bot.test_memory import prompts
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, StartDaemon
from tests.fakes import fake_telegram
from tests.fakes.fake_discord import ALICE, BEN, CHANNEL_ID, GUILD_ID, FakeDiscord
from tests.fakes.fake_telegram import BOT, GROUP, FakeTelegram

PLURALKIT = "466378653216014359"
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
AS_CHANNEL = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}


async def test_whoever_is_renamed_is_called_so_at_once(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Also in what they said before and what is quoted of it; by a nick of the server, which history doesn't know."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: f"well robin, number {len(daemon.engine.asked)}"
    await discord.wait_connected()
    first = await discord.say("hello", author=BEN, mention=True)
    await discord.wait_posts(1)
    await discord.say("who?", reply_to=first)
    discord.nicks[BEN["id"]] = "Robin"
    await discord.say("me", author=BEN, mention=True)
    await discord.wait_posts(2)
    assert prompts(daemon)[1] == [
        "ROBIN:\nhello",
        "MARA VOSS:\nwell robin, number 1",
        "ALICE:\n> ROBIN: hello\nwho?",
        "ROBIN:\n> MARA VOSS: well robin, number 1\nme",
    ]
    await daemon.stop()
    missed = await discord.say("still me", author=BEN, live=False, mention=True)
    again = await start_daemon(bare_home)
    await discord.wait_posts(3)
    assert missed
    assert prompts(again)[0][-1] == "ROBIN:\nstill me"


async def test_a_new_name_is_nobody_elses(bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon) -> None:
    """Neither the persona's nor that of somebody who is here."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("hi", author=BEN)
    await discord.say("hi", author={**BEN, "global_name": "Mara Voss"})
    await discord.say("hi", author=ALICE)
    await discord.say("hi", author={**BEN, "global_name": "alice"}, mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon)[0] == ["ALICE 2:\nhi\nhi", "ALICE:\nhi", "ALICE 2:\nhi"]


async def test_mentions_on_telegram_are_names(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Of people without a user name, of known user names in any case; behind an emoji, which Telegram counts twice."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    ben = {**fake_telegram.ALICE, "id": 9, "first_name": "Ben", "last_name": "Oz", "username": "b_oz"}
    telegram.say("hi", author=ben)
    text = "@PersonaBot 😀 ask @B_OZ, @nobody and Priya"
    spots: list[tuple[str, str, dict[str, Any]]] = [
        ("mention", "@PersonaBot", {}),
        ("mention", "@B_OZ", {}),
        ("mention", "@nobody", {}),
    ]
    spots += [("text_mention", "Priya", {"user": {"id": 8, "is_bot": False, "first_name": "Priya R"}})]
    entities = [
        {"type": kind, "offset": len(text[: text.index(said)].encode("utf-16-le")) // 2, "length": len(said), **more}
        for kind, said, more in spots
    ]
    telegram.say(text, entities=entities)
    await telegram.wait_sent(1)
    assert prompts(daemon)[0][-1] == "ALICE:\n😀 ask @Ben Oz, @nobody and @Priya R"


async def test_channels_and_anonymous_admins_are_somebody(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """They are heard and answered; an anonymous admin is an admin, a channel isn't, and what they are forgotten by is no
    name of the chat."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    channel: dict[str, Any] = {"id": -1009, "type": "channel", "title": "De Lijn"}
    telegram.say("works until june", author=AS_CHANNEL, sender_chat=channel)
    telegram.say("so we walk", author=ANONYMOUS, sender_chat=GROUP, mention=True)
    await telegram.wait_sent(1)
    assert prompts(daemon)[0] == ["DE LIJN:\nworks until june", "FRIENDS:\nso we walk"]
    for author, chat, answer in ((AS_CHANNEL, channel, "/quiet is for moderators."), (ANONYMOUS, GROUP, "I am quiet")):
        count = len(telegram.sent)
        telegram.say("/quiet 2h", author=author, sender_chat=chat)
        assert (await telegram.wait_sent(count + 1))[-1]["text"].startswith(answer)
    telegram.say("/forget", author=ANONYMOUS, sender_chat=GROUP)
    assert "1 messages" in (await telegram.wait_sent(4))[-1]["text"]
    left = await daemon.store.memory.latest(f"telegram:{BOT['id']}", f"telegram:{GROUP['id']}", 9)
    assert [message.speaker for message in left] == ["DE LIJN"]


async def test_members_of_a_system_are_who_they_are(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """PluralKit takes a message back and posts it by a webhook; a reply it shows in an embed. Other webhooks are not
    heard."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    webhook: dict[str, Any] = {"id": "600000000000000001", "discriminator": "0000", "avatar": None, "bot": True}
    proxied: dict[str, Any] = {"webhook_id": webhook["id"], "application_id": PLURALKIT}
    own = await discord.say("swans are liars", author=BEN)
    raw = await discord.say("L: hello there")
    luna, sol = ({**webhook, "username": name} for name in ("Luna", "Sol"))
    await discord.say("hello there", author=luna, bot=True, **proxied)
    await discord.delete(raw)
    await discord.say(
        "buy my coins", author={**webhook, "username": "Spam"}, bot=True, webhook_id="7", application_id="8"
    )
    link = f"https://discord.com/channels/{GUILD_ID}/{CHANNEL_ID}/{own}"
    embed = {
        "type": "rich",
        "author": {"name": "Ben\u2004\u21a9\ufe0f"},
        "description": f"**[Reply to:]({link})** swans are",
    }
    await discord.say("are they?", author=sol, bot=True, mention=True, embeds=[embed], **proxied)
    await discord.wait_posts(1)
    assert prompts(daemon)[0] == [
        "BEN:\nswans are liars",
        "LUNA:\nhello there",
        "SOL:\n> BEN: swans are liars\nare they?",
    ]
    embed = {**embed, "author": {"name": "persona\u2004\u21a9\ufe0f"}, "description": f"**[Reply to:]({link})** sure"}
    await discord.say("sure?", author=sol, bot=True, embeds=[embed], **proxied)
    await discord.wait_posts(2)
