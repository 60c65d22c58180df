"""A daemon around a room, for tests of what lies between gateway and engine."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.daemon import BotDaemon, Pauses
from bot.gateway import IncomingMessage, Limits
from bot.store import BotStore
from engine.voice import Voice
from persona.config import load
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.room import Room
from tests.fakes.small_voice import small_voice

QUICK = '[persona]\nname = "Mara Voss"\naliases = ["mara"]\n[talk]\ntyping = false\nmerge = "0s"\n'


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Inhabited:
    """A daemon at work in a room."""

    room: Room
    engine: FakeEngine
    store: BotStore
    daemon: BotDaemon
    clock: Callable[[], float]
    task: "asyncio.Task[None]"

    async def say(self, text: str, number: int, **more: object) -> None:
        """A mention by somebody, or what `more` makes of it."""
        fields = {"author_id": "5", "author_name": "Bob", "mention": True, "channel": "discord:7", **more}
        message = IncomingMessage(message_id=str(number), text=text, at=self.clock(), **fields)  # type: ignore[arg-type]
        await self.room.say(message)

    async def verdicts(self, count: int, seconds: float = 20) -> dict[str, int]:
        """The verdicts, once there are so many."""
        async with asyncio.timeout(seconds):
            while True:
                found = await self.store.inbox.verdicts()
                if sum(found.values()) - found.get("waiting", 0) >= count:
                    return found
                await asyncio.sleep(0.005)

    async def posted(self, count: int, seconds: float = 20) -> list[str]:
        """The texts of the posts, once there are so many."""
        async with asyncio.timeout(seconds):
            while len(self.room.posted) < count:
                await asyncio.sleep(0.005)
        return [one.text for one in self.room.posted]


@asynccontextmanager
async def inhabited(
    folder: Path,
    settings: str = QUICK,
    *,
    limits: Limits | None = None,
    clock: Callable[[], float] | None = None,
    voice: Callable[[FakeEngine], Voice] = small_voice,
) -> AsyncIterator[Inhabited]:
    """Start it; stop it when the block is left."""
    (folder / "persona.toml").write_text(settings, encoding="utf-8")
    loaded = load(folder / "persona.toml", {})
    clock = clock or Clock()
    store = await BotStore.open(loaded.store.url, folder, clock)
    engine = FakeEngine(lambda _: f"thought {secrets.token_hex(8)}")  # none twice, over restarts too
    room, stopping = Room(limits), asyncio.Event()
    daemon = BotDaemon(loaded, store, voice(engine), [room], Pauses(0.01, 0.1, (0.01, 0.05)))
    task = asyncio.create_task(daemon.run(stopping, until_first_ends=False))
    await room.open.wait()
    try:
        yield Inhabited(room, engine, store, daemon, clock, task)
    finally:
        stopping.set()
        await task
        await store.close()
