"""`python -m tests.load.burst`: so many mentions at once over so many channels. None is lost, memory stays bounded, and a
noisy channel makes no other wait for all of its own."""

import argparse
import asyncio
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.load.world import quantile, world

MIB = 2**20


@dataclass(frozen=True)
class Outcome:
    """lost: mentions without an answer. grown: bytes the process grew by at its largest. ahead: of the noisy channel's
    answers, how many came before the last answer in a quiet channel. cpu, fakes_cpu: milliseconds a mention, of the daemon
    and of this process, which plays Discord."""

    mentions: int
    lost: int
    seconds: float
    grown: int
    ahead: int
    p50: float
    p99: float
    p99_wait: float
    cpu: float
    fakes_cpu: float

    def __str__(self) -> str:
        wait = f"<= {self.p99_wait:g} s" if math.isfinite(self.p99_wait) else "beyond the last bucket"
        return (
            f"{self.mentions} mentions, {self.lost} lost, {self.seconds:.0f} s ({self.mentions / self.seconds:.0f}/s); "
            f"mention to answer p50 {self.p50:.1f} s, p99 {self.p99:.1f} s; committed to engine p99 {wait}; "
            f"CPU a mention {self.cpu:.1f} ms, the faked Discord's {self.fakes_cpu:.1f} ms; "
            f"memory +{self.grown / MIB:.0f} MiB; {self.ahead} of the noisy channel's answers before the last quiet one"
        )


async def burst(mentions: int, channels: int, folder: Path, patience: float) -> Outcome:
    """Half of the mentions in one channel, the rest spread over the others, the noisy ones first."""
    async with world(folder, channels) as here:
        noisy, *quiet = here.discord.channels
        start, largest, began = here.resident_bytes(), 0, time.monotonic()
        cpu, fakes_cpu = here.cpu_seconds(), time.process_time()
        loud = [await here.mention(number, noisy) for number in range(mentions // 2)]
        soft = [await here.mention(number, quiet[number % len(quiet)]) for number in range(mentions // 2, mentions)]
        while not await here.answered(1) and time.monotonic() - began < patience:
            largest = max(largest, here.resident_bytes())
        seconds = time.monotonic() - began
        first = soft[: len(quiet)]
        last = max((here.posted[number] for number in first if number in here.posted), default=0.0)
        ahead = sum(here.posted.get(number, last + 1) <= last for number in loud)
        waits = here.waits()
        return Outcome(
            mentions,
            mentions - len(waits),
            seconds,
            max(0, largest - start),
            ahead,
            quantile(waits, 0.5),
            quantile(waits, 0.99),
            await here.quantile("wait", 0.99),
            1e3 * (here.cpu_seconds() - cpu) / mentions,
            1e3 * (time.process_time() - fakes_cpu) / mentions,
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mentions", type=int, default=10_000)
    parser.add_argument("--channels", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="burst-") as folder:
        print(asyncio.run(burst(arguments.mentions, arguments.channels, Path(folder), 3600)))


if __name__ == "__main__":
    main()
