"""`/notme`: the owner says that the persona would not have said that, and what it would have said."""

import asyncio
import json
import sys
from collections.abc import Sequence

from bot.store import BotStore, FeedbackRecord
from tests.bot.test_bot_commands import run
from tests.bot.test_discord_bot import on_discord
from tests.bot.test_operators_settings import until
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import ROOT, Home, Running, StartDaemon
from tests.fakes.fake_discord import ALICE, BEN, CHANNEL_ID, FakeDiscord
from tests.fakes.fake_telegram import ALICE as ANNA
from tests.fakes.fake_telegram import GROUP, FakeTelegram

NOT_SAID = "I didn't say that, or so long ago that I have forgotten it."


def owned(home: Home, section: str, owner: str) -> Home:
    """The settings with an owner on a platform."""
    return home.settings(home.config.read_text().replace(f"[{section}]\n", f'[{section}]\nowners = ["{owner}"]\n'))


async def judged(daemon: Running) -> Sequence[tuple[str, str, int]]:
    """Completion, words instead and score of what is kept."""
    return [(each.completion, each.right, each.score) for each in await daemon.store.feedback.judgements()]


async def test_the_owner_corrects_a_post_on_discord(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """From a message's menu with words, by /notme the last one; of strangers' and others' posts nothing is kept. The menu
    asks nobody who may not."""
    daemon = await start_daemon(owned(on_discord(bare_home, discord, "feedback = true\n"), "discord", ALICE["id"]))
    await discord.wait_connected()
    assert await discord.command("notme") == "I said nothing here that I remember."
    asked = await discord.say("coming?", mention=True)
    (first,) = await discord.wait_posts(1)
    await discord.say("really?", mention=True)
    await discord.wait_posts(2)
    await until(daemon, 2)
    assert await discord.command("Not me", about=first["id"], author=BEN) == "/notme is for owners."
    assert await discord.command("Not me", about=asked, words="no") == NOT_SAID
    kept = await discord.command("Not me", about=first["id"], words="I'd say on my way\nsoon")
    assert kept == "Kept: that is what you would say."
    assert "replaces" in await discord.command("Not me", about=first["id"], words="on my way")
    assert await discord.command("notme") == "Kept: you would not say that."
    assert sorted(await judged(daemon)) == [("sure, number 1", "on my way", -1), ("sure, number 2", "", -1)]
    assert await discord.command("forget", author=ALICE)
    assert await judged(daemon) == []


async def test_a_reply_on_telegram_says_which_post_is_corrected(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """The owner's alone; a reply to somebody else is about nothing that it said. Printed by the command, whole."""
    daemon = await start_daemon(owned(on_telegram(bare_home, telegram, "feedback = true\n"), "telegram", "42"))
    owner = {"id": 42, "is_bot": False, "first_name": "Mara"}
    question = telegram.say("one", mention=True)
    (first,) = await telegram.wait_sent(1)
    telegram.say("two", mention=True)
    await telegram.wait_sent(2)
    await until(daemon, 2)
    others = {**first["message"], "message_id": question, "from": ANNA}
    for author, target, words in (
        (ANNA, first["message"], "x"),
        (owner, others, "x"),
        (owner, first["message"], "I'd say no"),
    ):
        telegram.say(f"/notme {words}", author=author, reply_to=target)
    told = [sent["text"] for sent in (await telegram.wait_sent(5))[2:]]
    assert told == ["/notme is for owners.", NOT_SAID, "Kept: that is what you would say."]
    telegram.say("/about", reply_to=first["message"])
    assert "imitates" in (await telegram.wait_sent(6))[-1]["text"]
    code, out, _ = await run(bare_home, "feedback")
    (line,) = out.splitlines()
    kept = FeedbackRecord(**json.loads(line))
    assert (code, kept.completion, kept.right, kept.prompt) == (0, "sure, number 1", "no", "# group\n\nALICE:\none\n")
    assert kept.adapter == "MARA VOSS 2024-06-01"


async def test_what_it_said_when_told_to_is_corrected_too(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A tweet with the prompt of a tweet, /say with what it had read; whoever stands in there may forget that."""
    daemon = await start_daemon(owned(on_discord(bare_home, discord, "feedback = true\n"), "discord", ALICE["id"]))
    await discord.wait_connected()
    await discord.say("the kettle is on", author=BEN, mention=True)
    await discord.wait_posts(1)
    await until(daemon, 1)
    assert await discord.command("say", "timeline") == "Said."
    assert await discord.command("say", "group") == "Said."
    _, tweet, word = await discord.wait_posts(3)
    await until(daemon, 1)
    for post in (tweet, word):
        kept = await discord.command("Not me", about=post["id"], words="I'd say good morning")
        assert kept == "Kept: that is what you would say."
    of_tweet, of_word = await daemon.store.feedback.judgements()
    assert (of_tweet.prompt, of_tweet.completion, of_tweet.authors) == ("# timeline\n", tweet["content"], ())
    assert of_word.prompt.startswith("# group\n\nBEN:\nthe kettle is on\n")
    assert (of_word.completion, of_word.authors) == (word["content"], (BEN["id"],))
    assert await discord.command("forget", author=BEN)
    assert [judgement.prompt for judgement in await daemon.store.feedback.judgements()] == ["# timeline\n"]


async def test_a_random_tweet_is_corrected_by_a_reply(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """How it was made is kept when it is put into the outbox."""
    home = owned(on_telegram(bare_home, telegram, "feedback = true\n"), "telegram", "42")
    tweets = '[tweets]\nenabled = true\nevery = "1s"\njitter = "0s"\nhours = "00:00-00:00"\n'
    home.settings(f'{home.config.read_text()}{tweets}to = ["telegram:{GROUP["id"]}"]\n')
    daemon = await start_daemon(home)
    (tweet, *_) = await telegram.wait_sent(1)
    await until(daemon, 0)
    telegram.say(
        "/notme I'd say nothing", author={"id": 42, "is_bot": False, "first_name": "Mara"}, reply_to=tweet["message"]
    )
    async with asyncio.timeout(20):
        while not (judgements := await daemon.store.feedback.judgements()):
            await asyncio.sleep(0.01)
    (judgement,) = judgements
    assert (judgement.prompt, judgement.completion) == ("# timeline\n", tweet["text"])
    assert judgement.right == "nothing"


async def test_a_random_tweet_is_voted_on_by_reactions(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Kept with the prompt of a tweet; taken back it is gone."""
    home = on_discord(bare_home, discord, "feedback = true\n")
    tweets = '[tweets]\nenabled = true\nevery = "1s"\njitter = "0s"\nhours = "00:00-00:00"\n'
    home.settings(f'{home.config.read_text()}{tweets}to = ["discord:{CHANNEL_ID}"]\n')
    daemon = await start_daemon(home)
    (tweet, *_) = await discord.wait_posts(1)
    await until(daemon, 0)
    await discord.react(tweet["id"], "👎", author=BEN)
    async with asyncio.timeout(20):
        while not (judgements := await daemon.store.feedback.judgements()):
            await asyncio.sleep(0.01)
    (judgement,) = judgements
    assert (judgement.prompt, judgement.completion, judgement.score) == ("# timeline\n", tweet["content"], -1)
    await discord.react(tweet["id"], "👎", author=BEN, back=True)
    async with asyncio.timeout(20):
        while await daemon.store.feedback.judgements():
            await asyncio.sleep(0.01)


async def test_without_the_setting_it_says_what_is_missing(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """And of what it said unasked."""
    daemon = await start_daemon(owned(on_discord(bare_home, discord), "discord", ALICE["id"]))
    await discord.wait_connected()
    await discord.say("coming?", mention=True)
    await discord.wait_posts(1)
    await until(daemon, 1)
    assert "feedback = true" in await discord.command("notme", "nope")
    assert await judged(daemon) == []


async def test_no_store_is_made_to_say_that_nothing_is_kept(bare_home: Home) -> None:
    """Nothing is printed, and that is no fault."""
    assert await run(bare_home, "feedback") == (0, "", "")
    assert not (bare_home.folder / "alterego.db").exists()


async def test_the_terminal_corrects_the_last_answer(home: Home) -> None:
    """Without any setting: its owner is alone with it."""
    code, out, _ = await talked(home, b"hello\n/notme I'd say hm")
    assert (code, out.count("Kept: that is what you would say.")) == (0, 1)
    store = await BotStore.open("sqlite:///alterego.db", home.folder)
    (judgement,) = await store.feedback.judgements()
    await store.close()
    assert (judgement.score, judgement.right, judgement.account.partition(":")[0]) == (-1, "hm", "terminal")


async def talked(home: Home, words: bytes) -> tuple[int, str, str]:
    """A chat over a pipe."""
    pipe = asyncio.subprocess.PIPE
    arguments = ("-m", "bot", "chat", "--config", str(home.config))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe
    )
    out, err = await process.communicate(words)
    return process.returncode or 0, out.decode(), err.decode()
