"""`python -m bench.resident`: the memory that the daemon holds idle and after so many mentions, with the bundle's own engine
and Discord on loopback, in the environment of its unit (run `make demo` first).

Each line: MiB resident; of them the process's own (anonymous), and pages of files, which other processes may share.
"""

import argparse
import asyncio
import json
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.daemon import ASKED, started, stopped, written_settings
from persona.config import Settings, load
from tests.fakes.fake_discord import ALICE, FakeDiscord
from tests.fakes.service_manager import ServiceManager

AFTER = (0, 30, 100, 300)  # mentions
UNIT = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}  # what the unit's environment says of memory
PATIENCE = 20.0  # seconds for one answer; a guard may have silenced it
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds after `mentions`, of which `answered` got an answer; MiB."""

    mentions: int
    answered: int
    resident: float
    own: float
    files: float

    def __str__(self) -> str:
        return (
            f"{self.mentions:5d} mentions, {self.answered:5d} answered: {self.resident:6.1f} MiB resident, "
            f"{self.own:6.1f} its own, {self.files:6.1f} of files"
        )


def held(pid: int, mentions: int, answered: int) -> Held:
    """Return what a process holds now."""
    page = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = {name: int(size) / 1024 for name, size in re.findall(r"^(\w+): +(\d+) kB", page, re.MULTILINE)}
    return Held(mentions, answered, sizes["Rss"], sizes["Anonymous"], sizes["Rss"] - sizes["Anonymous"])


def mappings(pid: int, most: int) -> list[tuple[str, float, float]]:
    """Return the files, heap and others that hold most: name, MiB resident, MiB of them the process's own."""
    resident: Counter[str] = Counter()
    own: Counter[str] = Counter()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if header := re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)", line):
            name = Path(header[1]).name or "(no file)"
        elif size := re.match(r"(Rss|Anonymous): +(\d+) kB", line):
            (resident if size[1] == "Rss" else own)[name] += int(size[2])
    return [(name, size / 1024, own[name] / 1024) for name, size in resident.most_common(most)]


async def measure(settings: Settings, after: Sequence[int], most: int) -> AsyncIterator[Held]:
    """Yield what is held after each count of mentions. most: mappings to print at the end."""
    discord = FakeDiscord(channels=4)
    await discord.start()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        manager = ServiceManager(Path(name) / "notify")
        config = written_settings(settings, Path(name), discord, 'merge = "0s"\n')
        await stopped(await started(manager, config))  # the first start makes the store, with a library for that
        process = await started(manager, config, UNIT)
        await discord.wait_caught_up()
        mentions = 0
        for count in after:
            while mentions < count:
                await _asked(discord, mentions)
                mentions += 1
            await asyncio.sleep(2)
            yield held(process.pid, mentions, len(discord.posts))
        for shown, resident, own in mappings(process.pid, most):
            print(f"{resident:8.1f} {own:8.1f}  {shown}")
        await stopped(process)
        manager.close()
    await discord.stop()


async def _asked(discord: FakeDiscord, number: int) -> None:
    """Ask something, and wait for the answer."""
    posts = len(discord.posts)
    author = {**ALICE, "id": str(int(ALICE["id"]) + number % 20), "global_name": f"person {number % 20}"}
    channel = discord.channels[number % len(discord.channels)]
    await discord.say(f"{ASKED[number % len(ASKED)]} {number}", mention=True, channel=channel, author=author)
    try:
        await discord.wait_posts(posts + 1, PATIENCE)
    except TimeoutError:
        return


async def _main(arguments: argparse.Namespace) -> None:
    async for figures in measure(load(arguments.config), sorted(arguments.after), arguments.mappings):
        print(json.dumps(asdict(figures)) if arguments.json else figures, flush=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("persona.toml"))
    parser.add_argument("--after", type=int, nargs="+", default=AFTER, help="mentions after which to look")
    parser.add_argument("--mappings", type=int, default=0, help="of the files, heap and others that hold most, so many")
    parser.add_argument("--json", action="store_true")
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
