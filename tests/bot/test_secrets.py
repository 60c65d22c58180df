"""Tokens, texts and names stay out of logs (at DEBUG too), argument lists, tracebacks and metrics."""

import asyncio
import json
import logging
from pathlib import Path

import aiohttp
import pytest

from bot.logs import hide, set_up_logging
from tests.bot.test_discord_bot import on_discord
from tests.conftest import Home, StartDaemon
from tests.fakes import fake_discord, fake_telegram
from tests.fakes.fake_discord import ALICE, FakeDiscord
from tests.fakes.fake_telegram import FakeTelegram

PRIVATE = ["my secret recipe", "Alice Inwonderland", fake_discord.TOKEN, fake_telegram.TOKEN]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the daemon writes at DEBUG, in a file."""
    return tmp_path / "log.txt"


async def test_nothing_private_is_logged_or_shown(
    bare_home: Home,
    discord: FakeDiscord,
    telegram: FakeTelegram,
    start_daemon: StartDaemon,
    log: Path,
    free_port: int,
) -> None:
    """Over a mention, a failure on each platform, a command and a look at the metrics."""
    home = on_discord(bare_home, discord, f"[metrics]\nport = {free_port}\n")
    home.settings(home.config.read_text().replace("[discord]", telegram.settings + "[discord]"))
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    set_up_logging(logging.DEBUG)
    stream = log.open("w")
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    hide([fake_discord.TOKEN, fake_telegram.TOKEN])
    try:
        await start_daemon(home)
        await discord.wait_connected()
        alice = {**ALICE, "global_name": "Alice Inwonderland"}
        await discord.say("my secret recipe", author=alice, mention=True)
        telegram.say("my secret recipe", mention=True)
        await discord.wait_posts(1)
        await telegram.wait_sent(1)
        await discord.command("status")
        telegram.push({"message": {"message_id": "x", "text": "my secret recipe"}})
        telegram.token = "1:revoked"
        await discord.line.cut(resumable=False)
        await asyncio.sleep(0.5)
        async with aiohttp.ClientSession() as session:
            pages = [
                await (await session.get(f"http://127.0.0.1:{free_port}/{page}")).text()
                for page in ("metrics", "healthz")
            ]
        logging.getLogger("x").error("a library says %s", f"https://api.telegram.org/bot{fake_telegram.TOKEN}/getMe")
        try:
            raise ConnectionError(f"refused {fake_discord.TOKEN}")
        except ConnectionError:
            logging.getLogger("x").exception("a library raises")
    finally:
        root.handlers[:], root.level = before[0], before[1]
        stream.close()
    written = log.read_text()
    assert "verdict=answered" in written
    assert "[hidden]" in written
    for secret in PRIVATE:
        assert secret not in written
        assert all(secret not in page for page in pages)
    assert 'alterego_verdicts_total{reason="mention",verdict="answered"} 2.0' in pages[0]
    assert 'alterego_inbox{verdict="answered"} 2.0' in pages[0]
    assert 'alterego_inbox{verdict="waiting"} 0.0' in pages[0]
    assert 'alterego_gateway_up{platform="discord"}' in pages[0]
    for part in ("commit", "wait", "engine", "send"):
        assert f'alterego_seconds_count{{part="{part}"}}' in pages[0]
    for name in ("alterego_inbox_age_seconds", "alterego_tokens_total", "alterego_loop_lag_seconds"):
        assert f"\n{name} " in pages[0]
    assert json.loads(pages[1])["verdicts"] == {"answered": 2}
