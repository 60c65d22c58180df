"""Discord on loopback and a daemon in a process of its own, with what can be seen of it from outside."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.chaos.resident import Lodger
from tests.chaos.run import SETTINGS
from tests.fakes.fake_discord import ALICE, FakeDiscord


class World:
    """said, posted: when each mention was said and answered, on time.monotonic()'s clock, by message id."""

    def __init__(self, discord: FakeDiscord, lodger: Lodger, port: int) -> None:
        self.discord = discord
        self.lodger = lodger
        self.said: dict[str, float] = {}
        self.posted: dict[str, float] = {}
        self._port = port
        discord.on_post = self._on_post

    def _on_post(self, wish: dict[str, object]) -> None:
        reference = wish.get("message_reference")
        if isinstance(reference, dict):
            self.posted.setdefault(str(reference["message_id"]), time.monotonic())

    async def mention(self, number: int, channel: str) -> str:
        """Somebody new says something to it."""
        author = {**ALICE, "id": str(int(ALICE["id"]) + number), "global_name": f"person {number}"}
        found = await self.discord.say(f"mention {number}", mention=True, channel=channel, author=author)
        self.said[found] = time.monotonic()
        return found

    async def answered(self, seconds: float) -> bool:
        """Wait until all are, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.posted) < len(self.said):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return False
        return True

    def waits(self) -> list[float]:
        """Seconds from each mention to its answer, sorted."""
        return sorted(self.posted[number] - at for number, at in self.said.items() if number in self.posted)

    def resident_bytes(self) -> int:
        """The memory the daemon's process holds."""
        pages = int(Path(f"/proc/{self.lodger.process.pid}/statm").read_text().split()[1])
        return pages * 4096

    def cpu_seconds(self) -> float:
        """The CPU that the daemon's process has used, the system's share included."""
        return self.lodger.cpu_seconds()

    def handles(self) -> int:
        """The files and sockets it has open."""
        return len(list(Path(f"/proc/{self.lodger.process.pid}/fd").iterdir()))

    async def quantile(self, part: str, share: float) -> float:
        """Of the seconds a part took, from the daemon's own /metrics: the upper end of the bucket it falls into."""
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self._port}/metrics") as answer:
            page = await answer.text()
        pattern = re.compile(rf'alterego_seconds_bucket{{le="([^"]+)",part="{part}"}} ([0-9.e+]+)')
        buckets = [(float(end), float(count)) for end, count in pattern.findall(page)]
        return next(end for end, count in buckets if count >= share * buckets[-1][1])


@asynccontextmanager
async def world(folder: Path, channels: int) -> AsyncIterator[World]:
    """Start both; stop them when the block is left."""
    discord = FakeDiscord(channels=channels)
    await discord.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "persona.toml").write_text(f"{SETTINGS}{discord.settings}[metrics]\nport = {port}\n")
    lodger = Lodger(folder / "persona.toml")
    await lodger.start()
    try:
        await discord.wait_caught_up()
        yield World(discord, lodger, port)
    finally:
        await lodger.stop()
        await discord.stop()


def quantile(values: list[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(share * len(values)))]
