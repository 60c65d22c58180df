"""`python -m bot forget | backup | doctor`: beside a running daemon, with the right words and exit codes."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from bot.__main__ import app as bot
from bot.doctor import examine, rhythm_finding, unprompted_finding
from bot.enabled_gateways import gateways_of
from bot.gateway import Finding
from bot.store import BotStore
from bot.store.backup import back_up, back_up_into
from persona.bundle import current
from persona.config import load
from persona.errors import UserError
from persona.reply_timing import FILE
from tests.bot.test_discord_bot import on_discord
from tests.conftest import ROOT, Home, StartDaemon, run_here
from tests.fakes import fake_discord, fake_telegram
from tests.fakes.fake_discord import ALICE, FakeDiscord
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_telegram import FakeTelegram
from tests.fakes.small_voice import small_voice


async def run(home: Home, *arguments: str) -> tuple[int, str, str]:
    """Run a command of the bot in a process of its own; the fakes go on meanwhile."""
    words = ("-m", "bot", *arguments, "--config", str(home.config))
    done = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await done.communicate()
    return done.returncode or 0, out.decode(), err.decode()


async def examined(home: Home) -> list[Finding]:
    """What the doctor finds, asked in this process."""
    return [finding async for finding in examine(load(home.config))]


def test_it_is_told_something_on_the_command_line(bare_home: Home) -> None:
    """Kept, listed, taken back; what is neither is a sentence."""

    def remember(*words: str) -> tuple[int, str, str]:
        done = run_here(bot, "python -m bot", "remember", *words, "--config", str(bare_home.config))
        return done.returncode, done.stdout, done.stderr

    assert remember("I moved", "to Graz in May")[1].startswith("Remembered as note 1.")
    assert remember("--list")[1].startswith("1: I moved to Graz in May (")
    (note,) = json.loads(remember("--list", "--json")[1])["notes"]
    assert (note["id"], note["words"]) == (1, "I moved to Graz in May")
    assert remember("--forget", "2")[:2] == (1, "There is no note 2.\n")
    assert remember("--forget", "1")[:2] == (0, "Note 1 is forgotten.\n")
    assert remember()[0] == remember("a", "--list")[0] == 2
    code, _, told = remember("a" * 400)
    assert (code, "at most 300 characters" in told) == (1, True)


async def test_somebody_is_forgotten_while_the_bot_runs(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """With a receipt of what, when and how much; a second time there is nothing."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("remember me", mention=True)
    await discord.wait_posts(1)
    code, out, _ = await run(bare_home, "forget", f"discord:{ALICE['id']}", "--json")
    receipt = json.loads(out)
    assert (code, receipt["messages"], receipt["verdicts"], receipt["names"]) == (0, 1, 1, 1)
    assert receipt["who"] == f"discord:{ALICE['id']}"
    _, out, _ = await run(bare_home, "forget", f"discord:{ALICE['id']}")
    assert out.strip() == f"Nothing was stored of discord:{ALICE['id']}."
    await discord.say("and now?", mention=True)
    await discord.wait_posts(2)
    assert "remember me" not in daemon.voice.encoding.text(daemon.engine.asked[-1].ids)


async def test_neither_the_doctor_nor_forgetting_makes_a_store(bare_home: Home) -> None:
    """Where the bot has never run there is nothing to forget."""
    before = {path.name for path in bare_home.config.parent.iterdir()}
    code, out, _ = await run(bare_home, "forget", "discord:1234")
    assert (code, out.strip()) == (0, "Nothing was stored of discord:1234.")
    assert "none yet" in next(finding.detail for finding in await examined(bare_home) if finding.check == "store")
    assert {path.name for path in bare_home.config.parent.iterdir()} == before


async def test_forgetting_nobody_says_how_to_write_it(bare_home: Home) -> None:
    """Usage is exit code 2."""
    code, _, err = await run(bare_home, "forget", "alice")
    assert code == 2
    assert "write it as discord:ID or telegram:ID" in err


async def test_a_backup_of_a_running_store_is_whole(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """A store like the one that was copied, one file, for nobody else to read; nothing is overwritten."""
    await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say("hello", mention=True)
    await discord.wait_posts(1)
    target = tmp_path / "backup.db"
    code, out, _ = await run(bare_home, "backup", str(target))
    assert (code, out.split(":")[0]) == (0, str(target))
    with sqlite3.connect(target) as copy:
        assert copy.execute("select verdict from inbox").fetchall() == [("answered",)]
    assert target.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".backup*"))
    with pytest.raises(UserError, match="no older backup is overwritten"):
        back_up("sqlite:///alterego.db", bare_home.folder, target)


async def test_only_the_last_backups_are_kept(bare_home: Home, tmp_path: Path) -> None:
    """Those that it named itself: nobody else's file is touched."""
    store = await BotStore.open("sqlite:///alterego.db", bare_home.folder)
    await store.close()
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "alterego-before-the-move.db").write_text("mine")
    for day in range(1, 5):
        back_up_into("sqlite:///alterego.db", bare_home.folder, folder, 2, datetime(2026, 1, day, tzinfo=UTC))
    names = ["alterego-20260103-000000.db", "alterego-20260104-000000.db", "alterego-before-the-move.db"]
    assert sorted(path.name for path in folder.iterdir()) == names
    code, out, _ = await run(bare_home, "backup", "--keep", "1", str(folder))
    assert (code, len(list(folder.iterdir()))) == (0, 2)
    assert out.startswith(f"{folder}/alterego-2")
    code, _, err = await run(bare_home, "backup", "--keep", "1", str(folder / "none"))
    assert (code, "--keep takes a folder" in err) == (2, True)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [("", "there is no store"), ('[store]\nurl = "postgresql://a:b@c/d"\n', "pg_dump")],
)
def test_what_cannot_be_backed_up_is_a_sentence(tmp_path: Path, settings: str, sentence: str) -> None:
    """With what to do instead, and no password in it."""
    url = load(Home(tmp_path).settings(f'[persona]\nname = "A"\n{settings}').config).store.url
    with pytest.raises(UserError, match=sentence) as fault:
        back_up(url, tmp_path, tmp_path / "x.db")
    assert "a:b" not in str(fault.value)
    assert not (tmp_path / "x.db").exists()


async def test_the_doctor_finds_everything_in_order(
    home: Home, discord: FakeDiscord, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundle, engine, disk, store, both platforms and the clock; exit code 0."""
    monkeypatch.setenv("DISCORD_TOKEN", fake_discord.TOKEN)
    monkeypatch.setenv("TELEGRAM_TOKEN", fake_telegram.TOKEN)
    telegram.reads_all = True
    on_discord(home, discord)
    home.settings(home.config.read_text().replace("[discord]", telegram.settings + "[discord]"))
    found = {one.check: one for one in await examined(home)}
    assert {name: one for name, one in found.items() if not one.ok} == {}
    assert {"settings", "bundle", "engine", "disk", "store", "clock", "discord token", "discord intents"} <= set(found)
    assert {"discord permissions", "telegram token", "telegram privacy mode", "telegram chat"} <= set(found)


async def test_the_doctor_says_how_to_mend_what_it_finds(
    bare_home: Home, discord: FakeDiscord, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bundle, a wrong token, intents off, a channel where it may not speak, privacy mode; and who knocked."""
    monkeypatch.setenv("DISCORD_TOKEN", fake_discord.TOKEN)
    monkeypatch.setenv("TELEGRAM_TOKEN", "1:wrong")
    discord.flags = 0
    discord.permissions = 1 << 10  # view channels, nothing else
    on_discord(bare_home, discord)
    bare_home.settings(bare_home.config.read_text().replace("[discord]", telegram.settings + "[discord]"))
    code, out, _ = await run(bare_home, "doctor")
    assert code == 1
    for words in (
        "run 'python -m trainer train'",
        "switch on Message Content Intent",
        "no send messages, read message history",
        "Telegram refused it",
    ):
        assert words in out
    assert "Traceback" not in out


@asynccontextmanager
async def refusing() -> AsyncIterator[str]:
    """A server that refuses whatever it is asked; its address."""

    async def refuse(_request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no such thing"}}, status=400)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


async def test_the_doctor_finds_an_engine_that_gives_no_answer_and_goes_on(home: Home) -> None:
    """A server can be named, and opened, and still say nothing."""
    async with refusing() as url:
        home.settings(home.config.read_text() + f'[engine]\nkind = "server"\nurl = "{url}"\n')
        found = {one.check: one for one in await examined(home)}
    assert not found["engine"].ok
    assert "server gives no answer: the server refuses the request" in found["engine"].detail
    assert found["engine"].mend == "start it, or mend [engine] url"
    assert {"bundle", "disk", "store"} <= {name for name, one in found.items() if one.ok}


async def test_the_doctor_names_who_knocked(bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon) -> None:
    """With the key that lets them in."""
    home = bare_home.settings(bare_home.config.read_text() + telegram.settings + "[talk]\ntyping = false\n")
    daemon = await start_daemon(home)
    telegram.say("let me in", chat={"id": -77, "type": "group", "title": "strangers"}, mention=True)
    telegram.say("hi", mention=True)
    await telegram.wait_sent(1)
    await daemon.stop()
    (knock,) = [one for one in await examined(home) if one.check == "knock"]
    assert knock.detail == "telegram chat -77 wrote and isn't let in"
    assert knock.mend == "to let it in, put -77 into [telegram] chats"


async def discord_findings(home: Home, discord: FakeDiscord, extra: str) -> dict[str, str]:
    """What the doctor says of Discord alone, by the check; "" if all is well there."""
    table = discord.settings + extra
    settings = load(home.settings(home.config.read_text() + table).config)
    (gateway,) = gateways_of(settings)
    findings = await gateway.examine(list(settings.tweets.to))
    return {finding.check: "" if finding.ok else f"{finding.detail}; {finding.mend}" for finding in findings}


async def test_ids_of_forums_threads_and_voice_channels_are_no_faults(
    bare_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot hears in all of them; a tweet can go into a thread, and opens one in a forum."""
    monkeypatch.setenv("DISCORD_TOKEN", fake_discord.TOKEN)
    discord = FakeDiscord(channels=3)
    await discord.start()
    forum, voice, _ = discord.channels
    discord.types, thread = {forum: 15, voice: 2}, "300000000000000999"
    discord.threads[thread] = forum
    extra = f'channels = ["{forum}", "{voice}", "{thread}"]\n[tweets]\nto = ["discord:{thread}", "discord:{forum}"]\n'
    found = await discord_findings(bare_home, discord, extra)
    await discord.stop()
    assert found == dict.fromkeys(("discord token", "discord intents", "discord permissions"), "")


async def test_a_category_is_a_finding_and_a_sentence_in_the_log(
    bare_home: Home,
    discord: FakeDiscord,
    monkeypatch: pytest.MonkeyPatch,
    start_daemon: StartDaemon,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It takes no posts: the daemon disables the target and goes on."""
    monkeypatch.setenv("DISCORD_TOKEN", fake_discord.TOKEN)
    (channel,) = discord.channels
    discord.types[channel] = 4
    tweets = (
        f'[tweets]\nenabled = true\nevery = "1s"\njitter = "0s"\nhours = "00:00-00:00"\nto = ["discord:{channel}"]\n'
    )
    found = await discord_findings(bare_home, discord, tweets)
    assert "is a category, which takes no posts; name a channel, a thread or a forum" in found["discord target"]
    await start_daemon(bare_home)
    async with asyncio.timeout(20):
        while f'target disabled channel=discord:{channel} reason="a category takes no posts' not in caplog.text:
            await asyncio.sleep(0.02)


async def test_a_thread_in_which_it_may_not_write_is_a_finding(
    bare_home: Home, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """*Send Messages in Threads* is a permission of its own."""
    monkeypatch.setenv("DISCORD_TOKEN", fake_discord.TOKEN)
    discord.permissions = fake_discord.ALL_PERMISSIONS & ~(1 << 38) & ~(1 << 3)  # nor administrator, who may all
    thread = "300000000000000999"
    discord.threads[thread] = discord.channels[0]
    found = await discord_findings(bare_home, discord, f'[tweets]\nto = ["discord:{thread}", "discord:5"]\n')
    assert "no send messages in threads" in found["discord permissions"]
    assert "discord:5 is in no server of the bot" in found["discord target"]


async def test_a_group_in_which_it_may_not_write_is_a_finding(
    bare_home: Home, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Being there is not enough; a target is looked at as a chat is. The server is older than the library, and doesn't
    send every right that it knows."""
    monkeypatch.setenv("TELEGRAM_TOKEN", fake_telegram.TOKEN)
    telegram.muted = {-77}
    settings = load(bare_home.settings(bare_home.config.read_text() + telegram.settings).config)
    (gateway,) = gateways_of(settings)
    found = [finding.detail for finding in await gateway.examine(["telegram:-77:5"]) if not finding.ok]
    assert "the bot may not write in -77" in found


@pytest.mark.parametrize("words", [["run"], ["chat"], ["tweet"]])
async def test_a_refusal_leaves_no_store_behind(
    bare_home: Home, discord: FakeDiscord, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot that has no adapter to speak with makes nothing."""
    monkeypatch.setenv("DISCORD_TOKEN", fake_discord.TOKEN)
    on_discord(bare_home, discord)
    before = sorted(path.name for path in bare_home.folder.iterdir())
    code, _, err = await run(bare_home, *words)
    assert (code, "no current adapter" in err) == (78, True)
    assert sorted(path.name for path in bare_home.folder.iterdir()) == before


def test_looking_and_forgetting_make_no_store(bare_home: Home) -> None:
    """Where none is, there is nothing to forget; an empty one would pass for a store."""

    async def all_findings() -> list[Finding]:
        return [finding async for finding in examine(load(bare_home.config))]

    details = [finding.detail for finding in asyncio.run(all_findings()) if finding.check == "store"]
    assert details == ["none yet; the first start makes it"]
    forgot = run_here(bot, "python -m bot", "forget", "discord:1234", "--config", str(bare_home.config))
    assert (forgot.returncode, forgot.stdout.strip()) == (0, "Nothing was stored of discord:1234.")
    assert list(bare_home.folder.glob("*.db*")) == []


async def test_the_doctor_says_where_it_cannot_speak_up_or_take_its_time(home: Home) -> None:
    """The sentences say what to do; nothing is said where neither is wanted."""
    found = {one.check for one in await examined(home)}
    assert not found & {"unprompted", "rhythm"}
    home.settings(home.config.read_text() + '[[place]]\nmatch = "discord:1"\nunprompted = 1.0\nrhythm = "mine"\n')
    by_check = {one.check: one for one in await examined(home)}
    bundle = current(load(home.config).adapters)
    assert by_check["unprompted"].ok == (bundle.seal.speaking_up is not None)
    assert by_check["rhythm"].ok == (bundle.private / FILE).is_file()
    bare = small_voice(FakeEngine())
    unprompted, rhythm = await unprompted_finding(bare), rhythm_finding(bare)
    assert not (unprompted.ok or rhythm.ok)
    assert "doesn't know when the persona speaks up" in unprompted.detail
    assert unprompted.mend.startswith("train again")
    assert rhythm.mend.startswith("import exports with times") or "too few" in rhythm.detail + rhythm.mend
