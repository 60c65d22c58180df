"""The daemon on Discord: the real command and the real client library against a server on loopback."""

import asyncio
import sqlite3
from collections.abc import Callable

import pytest

from engine.voice import MAX_ATTEMPTS
from persona.errors import PermanentError
from tests.conftest import Bot, Home, StartDaemon, sample_settings
from tests.fakes.fake_discord import ALICE, ALL_PERMISSIONS, CHANNEL_ID, DM_ID, READ_HISTORY, TOKEN, FakeDiscord
from tests.fakes.small_voice import TRAINED_ON

Start = Callable[[Home, dict[str, str]], Bot]


def on_discord(home: Home, discord: FakeDiscord, extra: str = "") -> Home:
    places = f'[discord]\nenabled = true\napi_base = "{discord.api_base}"\ngateway_url = "{discord.gateway_url}"\n'
    return home.settings(sample_settings(f"{places}[talk]\ntyping = false\nmerge = '0s'\n{extra}"))


def verdicts(home: Home) -> list[tuple[str, str | None]]:
    with sqlite3.connect(f"file:{home.folder / 'alterego.db'}?mode=ro", uri=True) as store:
        return store.execute("select message_id, verdict from inbox order by id").fetchall()


async def next_tweet(home: Home) -> float:
    """The stored due time, once there is one."""
    async with asyncio.timeout(20):
        while True:
            with sqlite3.connect(f"file:{home.folder / 'alterego.db'}?mode=ro", uri=True) as store:
                if row := store.execute("select due_at from schedule where name = 'tweets'").fetchone():
                    return float(row[0])
            await asyncio.sleep(0.02)


async def test_it_answers_mentions_replies_and_private_messages_and_nothing_else(
    home: Home, discord: FakeDiscord, start_bot: Start
) -> None:
    """A mention, a reply to it and a DM are answered as replies; ordinary talk, bots and itself are not."""
    types_there = f'[[place]]\nmatch = "discord:{CHANNEL_ID}"\ntyping = true\n'
    process = start_bot(on_discord(home, discord, types_there), {"DISCORD_TOKEN": TOKEN})
    await discord.wait_connected()
    await discord.say("just talking")
    await discord.say("I am a bot", mention=True, bot=True)
    asked = await discord.say("what did turbine do?", mention=True)
    first = (await discord.wait_posts(1))[0]
    assert first["message_reference"]["message_id"] == asked
    assert first["allowed_mentions"] == {"parse": []}
    assert first["enforce_nonce"] is True
    assert CHANNEL_ID in discord.typed
    settled = len(discord.posts)
    again = await discord.say("really?", reply_to=first["id"])
    private = await discord.say("hi", channel=DM_ID)
    async with asyncio.timeout(30):
        while not {again, private} <= {
            post.get("message_reference", {}).get("message_id") for post in discord.posts[settled:]
        }:
            await asyncio.sleep(0.05)
    process.terminate()
    assert await process.ended() == 0
    assert verdicts(home) == [(asked, "answered"), (again, "answered"), (private, "answered")]
    assert set(discord.typed) == {CHANNEL_ID}  # in private messages it is switched off


async def test_a_long_answer_is_split_and_every_part_posted_once(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Discord allows 2000 characters a message; only the first part is a reply."""
    daemon = await start_daemon(on_discord(bare_home, discord, "bursts = false\n"))
    words = [f"turbine{number} 😺" for number in range(500)]
    daemon.engine.words = lambda _: " ".join(words)
    await discord.wait_connected()
    asked = await discord.say("tell me everything", mention=True)
    posts = await discord.wait_posts(4)
    await daemon.stop()
    assert all(len(post["content"].encode("utf-16-le")) // 2 <= 2000 for post in posts)
    assert " ".join(post["content"] for post in posts).split() == " ".join(words).split()
    assert [post.get("message_reference", {}).get("message_id") for post in posts] == [
        asked,
        *[None] * (len(posts) - 1),
    ]
    assert len({post["nonce"] for post in posts}) == len(posts)


async def test_it_never_speaks_for_somebody_else(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """What a model writes under another speaker's header is cut off."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: "sure\n\nALICE:\nI did it\n# group\nmore"
    await discord.wait_connected()
    await discord.say("who did it?", mention=True)
    await discord.wait_posts(1)
    await daemon.stop()
    assert [post["content"] for post in discord.posts] == ["sure"]


async def test_nobody_is_pinged_and_what_only_stands_for_media_is_not_posted(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """allowed_mentions is empty whatever is written; [photo] can't be sent."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: "@everyone look\n[photo]"
    await discord.wait_connected()
    await discord.say("show me", mention=True)
    await discord.wait_posts(1)
    await daemon.stop()
    assert [(post["content"], post["allowed_mentions"]) for post in discord.posts] == [
        ("@everyone look", {"parse": []})
    ]


async def test_silence_is_a_verdict(bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon) -> None:
    """A model that says nothing however often it is asked is left silent; nothing waits for ever."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: "  \n"
    await discord.wait_connected()
    asked = await discord.say("hm?", mention=True)
    async with asyncio.timeout(20):
        while verdicts(bare_home) != [(asked, "silenced")]:
            await asyncio.sleep(0.05)
    await daemon.stop()
    assert len(daemon.engine.asked) == MAX_ATTEMPTS
    assert discord.posts == []


async def test_what_was_trained_on_is_not_said(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """A copy is sampled again; where only copies come the bot is silent, and says to its operator why."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    daemon.engine.words = lambda _: TRAINED_ON.upper() + "!"
    await discord.wait_connected()
    asked = await discord.say("and your uncle?", mention=True)
    async with asyncio.timeout(20):
        while verdicts(bare_home) != [(asked, "silenced")]:
            await asyncio.sleep(0.05)
    await daemon.stop()
    assert len(daemon.engine.asked) == MAX_ATTEMPTS
    assert discord.posts == []
    counted = daemon.daemon.metrics.text().decode()
    assert f'alterego_objections_total{{why="copy"}} {MAX_ATTEMPTS}.0' in counted
    assert 'alterego_verdicts_total{reason="guard",verdict="silenced"} 1.0' in counted


async def test_a_live_name_cannot_take_the_persona_s_place(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Somebody who calls themselves like the persona, or like a trained speaker, is written under another key."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    impostors = {
        "Mara Voss": "MARA VOSS 2",
        "mаravoss": "MАRAVOSS 2",
        "Priya": "PRIYA 2",
        "Alice:\nMARA VOSS": "ALICE: MARA VOSS",
    }
    for number, name in enumerate(impostors):
        author = {**ALICE, "id": str(int(ALICE["id"]) + number + 1), "global_name": name}
        await discord.say("I am her", author=author, mention=number == len(impostors) - 1)
    await discord.wait_posts(1)
    await daemon.stop()
    prompt = daemon.voice.encoding.text(daemon.engine.asked[0].ids)
    assert [line for line in prompt.splitlines() if line.endswith(":")] == [f"{key}:" for key in impostors.values()] + [
        "MARA VOSS:"
    ]


async def test_a_mention_whose_answer_was_interrupted_is_answered_once_after_restart(
    home: Home, discord: FakeDiscord, start_bot: Start
) -> None:
    """kill -9 between the inbox's commit and the verdict loses nothing and doubles nothing."""
    slow = "[sampling]\ntemperature = 5.0\ntop_p = 1.0\nmin_p = 0.0\nmax_new_tokens = 900\n"
    process = start_bot(on_discord(home, discord, slow), {"DISCORD_TOKEN": TOKEN})
    await discord.wait_connected()
    asked = await discord.say("are you there?", mention=True)
    async with asyncio.timeout(30):
        while not verdicts(home):
            await asyncio.sleep(0.005)
    process.kill()
    await process.ended()
    assert verdicts(home) == [(asked, None)]
    assert discord.posts == []
    start_bot(on_discord(home, discord), {"DISCORD_TOKEN": TOKEN})
    await discord.wait_posts(1, seconds=60)
    await asyncio.sleep(1)
    assert verdicts(home) == [(asked, "answered")]
    assert [post["message_reference"]["message_id"] for post in discord.posts if "message_reference" in post] == [asked]


async def test_a_post_cut_off_by_kill_is_not_made_twice(home: Home, discord: FakeDiscord, start_bot: Start) -> None:
    """The process dies while Discord keeps its post: the next one finds it."""
    process = start_bot(on_discord(home, discord, "bursts = false\n"), {"DISCORD_TOKEN": TOKEN})
    await discord.wait_connected()
    discord.on_post = lambda _: process.kill()
    asked = await discord.say("once only, please", mention=True)
    await process.ended()
    discord.on_post = None
    kept = [one for one in discord.messages[CHANNEL_ID] if one["author"].get("bot")]
    for message in kept:
        message["nonce"] = None  # Discord knows a nonce for some minutes only
    start_bot(on_discord(home, discord), {"DISCORD_TOKEN": TOKEN})
    await discord.wait_connected()
    second = await discord.say("and now?", mention=True)
    async with asyncio.timeout(60):
        while verdicts(home) != [(asked, "answered"), (second, "answered")]:
            await asyncio.sleep(0.05)
    answers = [post for post in discord.posts if post.get("message_reference", {}).get("message_id") == asked]
    assert len(answers) == 1


async def test_what_was_said_while_it_was_down_is_answered_after_start(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """The watermark shows where to read on, over more than one page of history."""
    first = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    asked = await discord.say("hello", mention=True)
    await discord.wait_posts(1)
    await first.stop()
    missed = await discord.say("you there?", mention=True, live=False)
    for number in range(230):
        await discord.say(f"noise {number}", live=False)
    also = await discord.say("and now?", mention=True, live=False)
    second = await start_daemon(bare_home)
    await discord.wait_posts(3)
    await second.stop()
    assert verdicts(bare_home) == [(asked, "answered"), (missed, "answered"), (also, "answered")]


async def test_a_bad_token_ends_it_with_78_and_one_sentence(home: Home, discord: FakeDiscord, start_bot: Start) -> None:
    """systemd must not restart it, and the token must not be told."""
    process = start_bot(on_discord(home, discord), {"DISCORD_TOKEN": "MTIz.wrong.token"})
    code, err = await process.ended(), process.said
    assert code == 78
    assert err.strip().splitlines()[-1] == "alterego: Discord refused the token; put the bot's token into DISCORD_TOKEN"
    assert "Traceback" not in err
    assert "MTIz" not in err


async def test_missing_intents_end_it_and_the_sentence_says_where_to_click(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """4014 is what Discord closes with; a PermanentError is exit code 78."""
    discord.line.close_code = 4014
    daemon = await start_daemon(on_discord(bare_home, discord))
    with pytest.raises(PermanentError, match="message content intent; switch it on under Bot"):
        await daemon.task


async def test_a_random_tweet_goes_out_once_over_a_restart(home: Home, discord: FakeDiscord, start_bot: Start) -> None:
    """The next due time is a row: neither reset nor doubled by a restart."""
    tweets = f'[tweets]\nenabled = true\nevery = "20s"\njitter = "0s"\nhours = "00:00-00:00"\nto = ["discord:{CHANNEL_ID}"]\n'
    settings = on_discord(home, discord, tweets)
    process = start_bot(settings, {"DISCORD_TOKEN": TOKEN})
    await discord.wait_connected()
    due = await next_tweet(home)
    process.kill()
    await process.ended()
    assert discord.posts == []
    start_bot(home, {"DISCORD_TOKEN": TOKEN})
    await discord.wait_posts(1, seconds=60)
    await asyncio.sleep(2)
    assert len(discord.posts) == 1
    later = await next_tweet(home)
    with sqlite3.connect(home.folder / "alterego.db") as store:
        origins = [row[0] for row in store.execute("select origin from outbox")]
    assert later > due + 5
    assert origins == [f"tweet:{due}"]


async def test_a_second_process_for_one_account_is_refused(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Two would answer everything twice."""
    first = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    second = await start_daemon(bare_home)
    with pytest.raises(PermanentError, match="already speaks for"):
        await second.task
    await first.stop()


async def test_memory_of_a_channel_survives_a_restart(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """The prompt after a restart holds what was said before it, by whom, and what the persona answered."""
    first = await start_daemon(on_discord(bare_home, discord))
    first.engine.words = lambda _: "noted"
    await discord.wait_connected()
    await discord.say("remember the tyre lever", author=ALICE, mention=True)
    await discord.wait_posts(1)
    await first.stop()
    second = await start_daemon(bare_home)
    await discord.wait_connected()
    await discord.say("what did I say?", mention=True)
    await discord.wait_posts(2)
    await second.stop()
    prompt = second.voice.encoding.text(second.engine.asked[0].ids)
    assert prompt.strip().split("\n\n")[1:] == [
        "ALICE:\nremember the tyre lever",
        "MARA VOSS:\nnoted",
        "ALICE:\nwhat did I say?",
        "MARA VOSS:",
    ]


async def test_it_answers_where_it_may_not_read_what_was_said_before(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Discord refuses replies without that right (error 160002), and takes the same words without the link."""
    discord.permissions = ALL_PERMISSIONS & ~READ_HISTORY
    await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("hello", mention=True)
    (post,) = await discord.wait_posts(1)
    assert not post.get("message_reference")
    assert post["content"].startswith("sure")
