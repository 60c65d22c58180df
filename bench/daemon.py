"""`python -m bench.daemon`: how late the daemon's event loop runs while 32 requests are sampled, how soon a mention reaches
the engine, and how long a restart takes. The rival is what most bots of this kind do: generate inside the message
handler, on the loop.

Both get the same 32 prompts and the same model, a bundle of the sample persona (run `make demo` first).
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from bot.daemon import BotDaemon
from bot.gateway import IncomingMessage
from bot.store import BotStore
from engine.base import Request
from engine.choose import open_voice
from engine.voice import Voice
from persona.config import Settings, load
from persona.transcript import Turn
from tests.fakes.fake_discord import TOKEN, FakeDiscord
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.room import Room
from tests.fakes.service_manager import ServiceManager
from tests.fakes.small_voice import small_voice

AT_ONCE = 32
RESTARTS = 7
PLACES, PEOPLE = 20, 60  # channels, and people who talk in them
TICK = 0.005  # seconds between two looks at the loop
ASKED = ("hey, are you open today?", "my bike has a flat tyre again", "want some dumplings?", "did you sleep?")


async def lag_during(work: Callable[[], Awaitable[object]]) -> tuple[float, float, float]:
    """p50 and p99 of how late the loop was while `work` ran, and how long that took; seconds."""
    late: list[float] = []

    async def watch() -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append(max(0.0, time.perf_counter() - due))

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.2)
    late.clear()
    began = time.perf_counter()
    await work()
    took = time.perf_counter() - began
    await asyncio.sleep(2 * TICK)
    watcher.cancel()
    seen = sorted(_at_any_time(late))
    return statistics.median(seen), seen[int(0.99 * (len(seen) - 1))], took


def _at_any_time(late: list[float]) -> Iterator[float]:
    """What would have been seen had somebody looked every TICK, also while the loop stood still: without it a loop that
    is blocked for seconds counts as one late look (Gil Tene, coordinated omission)."""
    for seconds in late:
        while seconds > 0:
            yield seconds
            seconds -= TICK


async def ours(voice: Voice) -> tuple[float, float, float]:
    """32 requests through the engine, whose model lives in a thread."""

    def ask(number: int) -> Awaitable[object]:
        return voice.reply("group", [Turn("ALICE", (ASKED[number % len(ASKED)],))], number, channel=f"c{number}")

    async def all_of_them() -> None:
        await asyncio.gather(*(ask(number) for number in range(AT_ONCE)))

    return await lag_during(all_of_them)


async def rival(settings: Settings) -> tuple[float, float, float]:
    """The same 32 one after the other with transformers' generate, each inside its handler."""
    import torch

    from engine.backends.transformers_engine import open_bundle_model
    from persona.bundle import current
    from persona.prompt import reply_prompt

    bundle = current(settings.adapters)
    model = open_bundle_model(bundle, settings.base.model, merge=True)
    voice = open_voice(settings)

    async def handler(number: int) -> None:
        turns = [Turn("ALICE", (ASKED[number % len(ASKED)],))]
        ids = reply_prompt(voice.encoding, voice.seal, "group", turns, room=voice.seal.max_length // 2)
        torch.manual_seed(number)
        model.generate(torch.tensor([ids]), do_sample=True, max_new_tokens=40, pad_token_id=voice.seal.end_of_turn)

    async def all_of_them() -> None:
        await asyncio.gather(*(handler(number) for number in range(AT_ONCE)))

    return await lag_during(all_of_them)


async def hand_over(count: int) -> list[float]:
    """Seconds from a mention at the gateway to its request at a faked engine, one mention at a time; sorted."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        config = Path(folder) / "persona.toml"
        config.write_text('[persona]\nname = "Mara Voss"\n[talk]\ntyping = false\nmerge = "0s"\n')
        settings = load(config, {})
        store = await BotStore.open(settings.store.url, settings.state)
        reached = asyncio.Event()

        def words(_: Request) -> str:
            reached.set()
            return f"answer {time.perf_counter_ns()}"

        engine = FakeEngine(words)
        room, stopping = Room(), asyncio.Event()
        task = asyncio.create_task(BotDaemon(settings, store, small_voice(engine), [room]).run(stopping, False))
        await room.open.wait()
        taken: list[float] = []
        for number in range(count):
            reached.clear()
            began = time.perf_counter()
            place, author = f"discord:{number % PLACES}", f"{100 + number % PEOPLE}"  # 1 is the bot itself
            message = IncomingMessage(place, f"{number}", author, f"p{author}", "hi", time.time(), mention=True)
            await room.say(message)
            await reached.wait()
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(0.005)
        stopping.set()
        await task
        await store.close()
    return sorted(taken)


def written_settings(settings: Settings, folder: Path, discord: FakeDiscord, talk: str = "") -> Path:
    """Write settings for the same persona on a faked Discord, without typing; returns their file. talk: more lines of
    [talk]."""
    (folder / "adapters").symlink_to(settings.adapters.parent)
    base = f'[base]\nmodel = "{settings.base.model}"\n[talk]\ntyping = false\nbursts = false\n{talk}'
    config = folder / "persona.toml"
    config.write_text(f'[persona]\nname = "{settings.persona.name}"\n{base}{discord.settings}')
    return config


async def started(
    manager: ServiceManager, config: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> asyncio.subprocess.Process:
    """`python -m bot run`, once it has told `manager` that it is ready."""
    environ = {**os.environ, "NOTIFY_SOCKET": str(manager.path), "DISCORD_TOKEN": TOKEN, "HF_HUB_OFFLINE": "1"}
    environ |= environment
    words = ("-m", "bot", "run", "--config", str(config))
    folder, quiet = Path(__file__).parent.parent, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=folder, env=environ, stderr=quiet)
    await manager.until("READY=1")
    return process


async def stopped(process: asyncio.subprocess.Process) -> None:
    """Tell it to stop, and wait until it has."""
    process.terminate()
    if code := await process.wait():
        raise RuntimeError(f"the daemon ended with {code}")


async def restarts(settings: Settings, count: int) -> list[tuple[float, float]]:
    """Seconds from telling the daemon to stop until it has exited and the next one is ready; and until that one has
    answered what was said between the two. The bundle's own engine, Discord on loopback; sorted."""
    found: list[tuple[float, float]] = []
    discord = FakeDiscord()
    await discord.start()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        config = written_settings(settings, folder, discord)
        manager = ServiceManager(folder / "notify")
        process = await started(manager, config)
        for number in range(count):
            await discord.wait_caught_up()
            posts, began = len(discord.posts), time.perf_counter()
            await stopped(process)
            await discord.say(ASKED[number % len(ASKED)], mention=True, live=False)
            process = await started(manager, config)
            ready = time.perf_counter() - began
            await discord.wait_posts(posts + 1)
            found.append((ready, time.perf_counter() - began))
        await stopped(process)
        manager.close()
    await discord.stop()
    return sorted(found)


async def measure(config: Path, count: int) -> dict[str, float]:
    """All figures, milliseconds."""
    settings = load(config)
    over = await hand_over(count)  # first: a daemon has no torch in its process, which the rival brings along
    voice = open_voice(settings)
    await voice.engine.start()
    await voice.reply("group", [Turn("ALICE", ("warm up",))], 0)
    p50, p99, took = await ours(voice)
    await voice.engine.close()
    rival_p50, rival_p99, rival_took = await rival(settings)
    ready, answered = zip(*await restarts(settings, RESTARTS), strict=True)
    return {
        "loop lag p50": 1e3 * p50,
        "loop lag p99": 1e3 * p99,
        "32 replies": 1e3 * took,
        "rival loop lag p50": 1e3 * rival_p50,
        "rival loop lag p99": 1e3 * rival_p99,
        "rival 32 replies": 1e3 * rival_took,
        "rival/ours p99": rival_p99 / p99,
        "mention to engine p50": 1e3 * over[len(over) // 2],
        "mention to engine p99": 1e3 * over[int(0.99 * (len(over) - 1))],
        "restart p50": 1e3 * statistics.median(ready),
        "restart at most": 1e3 * max(ready),
        "restart to answer p50": 1e3 * statistics.median(answered),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("persona.toml"))
    parser.add_argument("--mentions", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.config, arguments.mentions))
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:24s} {value:10.1f}{' x' if '/' in name else ' ms'}")


if __name__ == "__main__":
    main()
