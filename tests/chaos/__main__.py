"""`python -m tests.chaos --n 200`: so many runs, each with a fault of a kind drawn at random, and what became of every
mention. Ends with 1 where one was lost, doubled, or got a verdict that doesn't fit."""

import argparse
import asyncio
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.run import Fate, Run


async def one_run(fault: Fault, seed: int) -> Fate:
    """Inject one fault into a fresh world."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        run = Run(fault.platform, Path(folder), Random(seed), kills=fault.kills, dead=fault.dead)
        await run.start()
        try:
            await fault.body(run)
            await run.settled()
            return run.fate(doubtful=fault.doubtful, declines=fault.declines)
        finally:
            await run.stop()


async def many_runs(count: int, seed: int, only: str, first: int = 0) -> bool:
    """Run, print, and tell whether all was well."""
    kinds = [fault for fault in FAULTS if only in f"{fault.platform} {fault.name}"]
    injected: Counter[str] = Counter()
    total, began = Fate(), time.monotonic()
    for number in range(first, count):
        fault = kinds[number % len(kinds)] if count >= len(kinds) else Random(seed + number).choice(kinds)
        fate = await one_run(fault, seed + number)
        injected[f"{fault.platform}: {fault.name}"] += 1
        total.verdicts += fate.verdicts
        total.lost += fate.lost
        total.doubled += fate.doubled
        total.torn += fate.torn
        total.wrong += [f"{fault.platform}: {fault.name} (seed {seed + number}): {one}" for one in fate.wrong]
        if not fate.good:
            print(f"BAD {fault.platform}: {fault.name} seed={seed + number} {dict(fate.verdicts)} {fate}", flush=True)
        elif number % 20 == 19:
            print(f"{number + 1} runs, {time.monotonic() - began:.0f} s", flush=True)
    for kind, times in sorted(injected.items()):
        print(f"{times:5d}  {kind}")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in total.verdicts.most_common())
    print(
        f"{count - first} faults, {sum(total.verdicts.values())} mentions: {counts}; {total.lost} lost, {total.doubled} doubled, "
        f"{total.torn} torn"
    )
    for one in total.wrong:
        print(one)
    return total.good


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="runs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="go on with this run of the N, after an interruption")
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    return 0 if asyncio.run(many_runs(arguments.n, arguments.seed, arguments.only, arguments.first)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
