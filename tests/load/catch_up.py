"""`python -m tests.load.catch_up`: a server of many idle channels and threads, where each page of history takes its time. The
daemon was away; how soon does it answer what is said live, and all that it missed?"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from tests.chaos.resident import Lodger
from tests.fakes.fake_discord import FakeDiscord
from tests.load.world import World, world

MISSED = 40  # mentions while it was away, each in another place
PAGE_SECONDS = 0.1  # that Discord takes for a page
PATIENCE = 300.0


@dataclass(frozen=True)
class Outcome:
    """live: seconds from a mention that is said as soon as it is connected to its answer. all: from connecting until all
    that was missed is answered. pages: of history that it asked for after its start."""

    places: int
    lost: int
    live: float
    all: float
    pages: int

    def __str__(self) -> str:
        return (
            f"{self.places} channels and threads, {MISSED} mentions missed, {self.lost} lost; the first live mention answered "
            f"in {self.live:.1f} s, all in {self.all:.1f} s, with {self.pages} pages of history"
        )


def threads_in(discord: FakeDiscord, count: int) -> list[str]:
    """Open so many threads, over all channels."""
    names = [str(8_000_000_000_000_000_000 + number) for number in range(count)]
    for number, name in enumerate(names):
        discord.threads[name] = discord.channels[number % len(discord.channels)]
        discord.messages[name] = []
    return names


async def away_and_back(channels: int, threads: int, folder: Path) -> Outcome:
    """Somebody spoke everywhere once; then the daemon is stopped, called in some places, and started."""
    async with world(folder, channels) as here:
        discord = here.discord
        places = [*discord.channels, *threads_in(discord, threads)]
        for place in discord.threads:
            await discord.tell("THREAD_CREATE", discord._thread_data(place))
        for place in places:
            await discord.say("well, well", channel=place)
        last = await here.mention(0, places[0])
        await here.answered(PATIENCE)
        del here.said[last], here.posted[last]
        await here.lodger.stop()
        pages = await _slow(discord)
        for number, place in enumerate(_spread(places), start=1):
            await here.mention(number, place)
        lodger = here.lodger = Lodger(folder / "persona.toml")
        try:
            return await _back(here, places, pages)
        finally:
            await lodger.stop()


async def _back(here: World, places: Sequence[str], pages: list[str]) -> Outcome:
    discord, before = here.discord, here.discord.line.identified
    await here.lodger.start()
    while discord.line.identified <= before:
        await asyncio.sleep(0.01)
    connected = time.monotonic()
    live = await here.mention(MISSED + 1, places[1])
    await here.answered(PATIENCE)
    answered = here.posted.get(live, connected + PATIENCE)
    whole = max(here.posted.values(), default=connected + PATIENCE)
    lost = len(here.said) - len(here.posted)
    return Outcome(len(places), lost, answered - here.said[live], whole - connected, len(pages))


async def _slow(discord: FakeDiscord) -> list[str]:
    """Have each page of history take its time; return the list of them, which grows."""
    pages: list[str] = []

    async def trouble(moment: str, request: web.Request) -> web.StreamResponse | None:
        if moment == "before history":
            pages.append(request.path)
            await asyncio.sleep(PAGE_SECONDS)
        return None

    discord.trouble = trouble
    return pages


def _spread(places: Sequence[str]) -> list[str]:
    return [places[number * len(places) // MISSED] for number in range(MISSED)]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="catch-up-") as folder:
        print(asyncio.run(away_and_back(arguments.channels, arguments.threads, Path(folder))))


if __name__ == "__main__":
    main()
