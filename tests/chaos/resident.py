"""The daemon under test: in this process, or in one of its own that can be killed."""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from bot.daemon import BotDaemon, Pauses
from bot.gateway import Gateway
from bot.gateways.discord.gateway import DiscordGateway
from bot.gateways.telegram.gateway import TelegramGateway
from bot.store import BotStore
from engine.base import Request
from engine.voice import Voice
from persona.config import Settings, load
from persona.platforms import Discord, Telegram
from persona.reply_timing import ReplyTiming
from persona.speaking_up import SpeakingUp
from tests.fakes import fake_discord, fake_telegram
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_encoding, small_voice

ROOT = Path(__file__).parent.parent.parent
LONGEST_STOP = 600.0  # seconds, on a machine that has other work
QUEUE = 8  # Discord's events that may wait: few, so that it overflows
PAUSES = Pauses(0.05, 0.5, (0.05, 0.5))


class Clock:
    """The time, and by how much it was set wrong."""

    def __init__(self) -> None:
        self.off = 0.0

    def __call__(self) -> float:
        return time.time() + self.off


def echo(request: Request) -> str:
    """Answers with what was said last, so that every answer tells which message it answers; in two messages where it
    was asked to say it twice."""
    encoding, ids = small_encoding(), request.ids
    ends = [place for place, number in enumerate(ids) if number == encoding.end_of_turn]
    start = ends[-2] + 1 if len(ends) > 1 else 0  # the last turn alone: all of a long talk takes as long as an answer
    said = encoding.text(ids[start : ends[-1]]).rstrip().splitlines()[-1]
    lines = [f"{word} {said[:40]} {random.randrange(10**9)}" for word in ("re", "and")]
    return "\n".join(lines if " twice" in said else lines[:1])


def lively_voice(engine: FakeEngine) -> Voice:
    """A voice that finds its turn in whatever is said, where `[talk] unprompted` lets it; and that takes a while to turn to
    it, where `[talk] rhythm` wants the person's times."""
    voice = small_voice(engine)
    knows = SpeakingUp(rate=1.0, thresholds=(-1.0,))
    timing = ReplyTiming(delays={"all": (0.3, 2.0)}, typing=100.0)
    return replace(voice, seal=voice.seal.model_copy(update={"speaking_up": knows}), timing=timing)


def gateways(settings: Settings, dead: float) -> list[Gateway]:
    """The real ones, with short patience. dead: seconds of silence after which Discord's connection is given up."""
    found: list[Gateway] = []
    if settings.section(Discord).enabled:
        found.append(
            DiscordGateway(settings.section(Discord), fake_discord.TOKEN, heartbeat_timeout=dead, queue_size=QUEUE)
        )
    if settings.section(Telegram).enabled:
        found.append(TelegramGateway(settings.section(Telegram), fake_telegram.TOKEN))
    return found


class Resident:
    """A daemon in this process."""

    def __init__(self, config: Path, dead: float = 60.0) -> None:
        self._config = config
        self._dead = dead
        self.engine = FakeEngine(echo)
        self.clock = Clock()
        self._stopping = asyncio.Event()
        self.store: BotStore
        self.daemon: BotDaemon

    async def start(self) -> None:
        settings = load(self._config, {})
        self.store = await BotStore.open(settings.store.url, settings.state, self.clock)
        self.daemon = BotDaemon(settings, self.store, lively_voice(self.engine), gateways(settings, self._dead), PAUSES)
        self._task = asyncio.create_task(self.daemon.run(self._stopping, until_first_ends=False))

    def again(self) -> "Resident":
        return Resident(self._config, self._dead)

    async def stop(self) -> None:
        self._stopping.set()
        await self._task
        await self.store.close()


class Lodger:
    """A daemon in a process of its own. kill_at: `commit:N` before its Nth commit, `engine` while it samples; "" never.
    (`freeze` holds its loop while it samples.)"""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.kill_at = ""

    async def start(self) -> None:
        with (self._config.parent / "log.txt").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.chaos.resident", str(self._config), self.kill_at, cwd=ROOT, stderr=log
            )

    def cpu_seconds(self) -> float:
        """The CPU that the process has used, the system's share included; 0 if it is gone."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self.process.kill()

    def worked(self) -> int:
        """The half seconds of CPU that the process has used: what grows while it starts, and hardly once it is idle."""
        return int(self.cpu_seconds() / 0.5)

    async def killed(self, seconds: float = 60) -> bool:
        """Wait until it is dead. False where it lives on, and did nothing for so long: what it was to die at never
        came."""
        before, since = -1, time.monotonic()
        while self.process.returncode is None and time.monotonic() - since < seconds:
            if (now := self.worked()) != before:
                before, since = now, time.monotonic()
            await asyncio.sleep(0.05)
        return self.process.returncode is not None

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self.process.wait(), LONGEST_STOP)


def _die_before_commit(store: BotStore, number: int) -> None:
    left = [number]

    def count(_connection: sa.Connection) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(store.database.engine, "commit", count)


def _dying(words: Callable[[Request], str]) -> Callable[[Request], str]:
    def die(request: Request) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return words(request)

    return die


def _freezing(_request: Request) -> str:
    time.sleep(3600)
    return ""


async def _main(config: Path, kill_at: str) -> None:
    resident = Resident(config)
    resident.engine.remembers = False
    await resident.start()
    kind, _, number = kill_at.partition(":")
    if kind == "commit":
        _die_before_commit(resident.store, int(number))
    elif kind == "engine":
        resident.engine.words = _dying(echo)
    elif kind == "freeze":
        resident.engine.words = _freezing
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await resident.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("kill_at", nargs="?", default="")
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.config, arguments.kill_at))
