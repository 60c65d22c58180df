"""`python -m tests.load.soak --minutes 60`: a steady stream of mentions, and whether memory and handles stay flat."""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.load.world import world

MIB = 2**20
RATE = 5.0  # mentions a second
CHANNELS = 20


@dataclass(frozen=True)
class Outcome:
    """Medians of the second and of the last quarter: the first one warms up."""

    mentions: int
    lost: int
    memory: tuple[float, float]
    handles: tuple[float, float]

    def __str__(self) -> str:
        return (
            f"{self.mentions} mentions, {self.lost} lost; memory {self.memory[0] / MIB:.1f} -> {self.memory[1] / MIB:.1f} MiB; "
            f"handles {self.handles[0]:.0f} -> {self.handles[1]:.0f}"
        )


async def soak(minutes: float, folder: Path) -> Outcome:
    """Talk at a steady rate, and look at the process meanwhile."""
    async with world(folder, CHANNELS) as here:
        memory: list[int] = []
        handles: list[int] = []
        end, number = time.monotonic() + minutes * 60, 0
        while time.monotonic() < end:
            await here.mention(number, here.discord.channels[number % CHANNELS])
            number += 1
            await asyncio.sleep(1 / RATE)
            if number % RATE == 0:
                memory.append(here.resident_bytes())
                handles.append(here.handles())
        await here.answered(60)
        lost = len(here.said) - len(here.posted)
        return Outcome(number, lost, _quarters(memory), _quarters(handles))


def _quarters(values: list[int]) -> tuple[float, float]:
    quarter = len(values) // 4
    return median(values[quarter : 2 * quarter]), median(values[-quarter:])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        print(asyncio.run(soak(arguments.minutes, Path(folder))))


if __name__ == "__main__":
    main()
