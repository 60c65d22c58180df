"""What an operator watches: every metric in the alert rules and on the dashboard exists, and moves when it should."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.metrics import BotMetrics
from bot.store import BotStore
from tests.bot.test_discord_bot import on_discord
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import ROOT, Home, Running, StartDaemon
from tests.fakes.fake_discord import FakeDiscord
from tests.fakes.fake_telegram import FakeTelegram

MONITORING = ROOT / "docs" / "monitoring"
KINDS = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def exposed() -> set[str]:
    """The names of all series that the daemon shows."""
    families = re.findall(r"^# TYPE (\S+) (\w+)$", BotMetrics().text().decode(), re.MULTILINE)
    return {name + ending for name, kind in families for ending in KINDS[kind]}


@pytest.mark.parametrize("file", ["alerts.yml", "dashboard.json"])
def test_every_metric_that_is_watched_exists(file: str) -> None:
    """An alert on a name that nobody counts under never fires."""
    named = set(re.findall(r"\balterego_\w+", (MONITORING / file).read_text(encoding="utf-8")))
    assert len(named) > 5
    assert named - exposed() == set()


def test_the_dashboard_shows_every_metric() -> None:
    """It is JSON as Grafana takes it: panels with targets, which don't overlap."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    left = {name for name in exposed() if name not in asked and not name.endswith(("_created", "_sum", "_count"))}
    assert left == set()
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)


def value(daemon: Running, name: str, **labels: str) -> float:
    return daemon.daemon.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_events_reconnects_and_catching_up_are_counted(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """When the platform last sent anything, how often the line was lost, how many channels were read again."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_caught_up()
    assert value(daemon, "alterego_last_event_timestamp_seconds", platform="discord") > 1e9
    assert value(daemon, "alterego_reconnects_total", platform="discord") == 0
    await discord.say("hello", mention=True)
    await discord.wait_posts(1)
    await discord.line.cut(resumable=False)
    await discord.say("missed", mention=True, live=False)
    await discord.wait_posts(2)
    async with asyncio.timeout(20):
        while not value(daemon, "alterego_channels_caught_up_total", platform="discord"):
            await asyncio.sleep(0.02)
    assert value(daemon, "alterego_reconnects_total", platform="discord") >= 1


async def test_a_fault_of_the_store_is_counted_with_its_reason(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """In a few words of ours: what a database says may hold anything."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    failing = [True]

    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if failing[0] and statement.startswith("INSERT INTO inbox"):
            failing[0] = False
            raise sqlite3.OperationalError("database or disk is full")

    sa.event.listen(daemon.store.database.engine, "before_cursor_execute", fail)
    telegram.say("hello", mention=True)
    await telegram.wait_sent(1)
    assert value(daemon, "alterego_store_faults_total", reason="disk full") == 1


async def test_three_hundred_messages_of_a_stranger_are_one_line(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    """And one row, not a commit each."""
    caplog.set_level("INFO")
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    stranger = {"id": 777, "is_bot": False, "first_name": "X"}
    for _ in range(300):
        telegram.say("let me in", chat={"id": 777, "type": "private", "first_name": "X"}, author=stranger)
    await telegram.wait_confirmed()
    assert len([record for record in caplog.records if "access request" in record.getMessage()]) == 1
    assert await daemon.store.people.access_requests() == [("telegram:123456789", "user:777")]


async def test_nobody_else_reads_the_database(tmp_path: Path) -> None:
    """Nor what SQLite writes beside it, whatever the umask; an older file is closed too."""
    file = tmp_path / "store.db"
    for before in (None, 0o644):
        if before:
            file.chmod(before)
        store = await BotStore.open("sqlite:///store.db", tmp_path)
        await store.timetable.keep("x")
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
        assert modes == dict.fromkeys(("store.db", "store.db-wal", "store.db-shm"), "0o600")
        await store.close()
    with closing(sqlite3.connect(file)) as raw:
        assert raw.execute("select count(*) from tweeted").fetchone() == (2,)
