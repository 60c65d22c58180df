"""What the service manager is told, over a real socket; and what it does with a daemon that says nothing any more."""

import asyncio
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.health import LATE, LoopMonitor
from bot.metrics import BotMetrics
from bot.notify import extending, notify
from tests.bot.rooms import inhabited
from tests.chaos.run import SETTINGS
from tests.conftest import ROOT
from tests.fakes.fake_discord import FakeDiscord
from tests.fakes.service_manager import ServiceManager

WATCHDOG = 2.0  # seconds of silence after which a service is killed


@asynccontextmanager
async def managed(
    manager: ServiceManager, config: Path, trouble: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A daemon as a service of `manager`. trouble: see tests.chaos.resident."""
    told = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))}
    words = ("-m", "tests.chaos.resident", str(config), trouble)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, env={**os.environ, **told})
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    made = ServiceManager(tmp_path / "notify")
    yield made
    made.close()


async def test_a_daemon_whose_loop_is_frozen_is_killed_and_what_froze_it_is_answered_by_the_next(
    tmp_path: Path, discord: FakeDiscord, manager: ServiceManager
) -> None:
    """It says that it is ready and then, again and again, that it is alive; until it isn't."""
    config = tmp_path / "persona.toml"
    config.write_text(SETTINGS + discord.settings)
    async with managed(manager, config, "freeze") as process:
        await manager.until("READY=1")
        for _ in range(3):
            await manager.until("WATCHDOG=1", WATCHDOG)
        await discord.wait_connected()
        asked = await discord.say("freeze", mention=True)
        await manager.watch(process, WATCHDOG)
        assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGABRT
    assert discord.posts == []
    async with managed(manager, config) as process:
        (post,) = await discord.wait_posts(1)
        assert post["message_reference"]["message_id"] == asked
        process.terminate()
        await manager.until("STOPPING=1")
        assert await asyncio.wait_for(process.wait(), 20) == 0
    with sqlite3.connect(tmp_path / "alterego.db") as store:
        assert store.execute("select verdict from inbox").fetchall() == [("answered",)]


async def test_a_loop_that_is_late_or_a_commit_that_stands_still_is_not_alive() -> None:
    """Each alone is enough."""
    stuck = [0.0]
    monitor = LoopMonitor(BotMetrics(), lambda: stuck[0], patience=5.0)
    assert monitor.alive()
    stuck[0] = 6.0
    assert not monitor.alive()
    stuck[0] = 0.0
    monitor._lag = LATE
    assert not monitor.alive()


async def test_work_that_waits_for_an_engine_is_no_reason_to_be_killed_but_a_commit_that_hangs_is(
    tmp_path: Path,
) -> None:
    """A server may be away for days; the database of this machine may not."""
    async with inhabited(tmp_path) as home:
        (writer,) = home.daemon._writers.values()
        home.engine.failures = 10**9
        await home.say("are you there?", 1)
        await asyncio.sleep(0.1)
        assert writer.stuck_for() == 0.0
        release = threading.Event()
        holding = asyncio.create_task(home.store.database.write(lambda _: release.wait()))
        hanging = asyncio.create_task(home.say("and now?", 2))
        await asyncio.sleep(0.1)
        assert writer.stuck_for() >= 0.05
        release.set()
        await asyncio.gather(holding, hanging)
        assert writer.stuck_for() == 0.0
        home.engine.failures = 0
        assert (await home.verdicts(2)) == {"answered": 2}


async def test_while_a_model_loads_more_time_is_asked_for(manager: ServiceManager) -> None:
    """From a thread: what loads may hold the loop."""
    environ = {"NOTIFY_SOCKET": str(manager.path)}
    with extending(environ, every=0.02):
        time.sleep(0.1)  # noqa: ASYNC251  it holds the loop
    notify("READY=1", environ)
    await manager.until("READY=1", 5)
    assert manager.heard[0] == "STATUS=loading the model"
    assert "EXTEND_TIMEOUT_USEC=60000" in manager.heard
    assert manager.heard[-2] == "STATUS="


def test_where_no_manager_listens_nothing_happens(tmp_path: Path) -> None:
    """None, or one that is gone: its socket is inherited by whatever a service starts."""
    notify("READY=1", {})
    notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    notify("READY=1", {"NOTIFY_SOCKET": "@alterego-nobody-listens-here"})
