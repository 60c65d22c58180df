"""How long it takes until something comes to mind, how large the archive is, and what it costs in memory.

    python -m bench.memory [--messages 10000 100000 1000000] [-n 400]

Messages are made up of words as frequent as in a language (Zipf's law; 60,000 of them, nine to a message), in conversations of
2 to 30 turns among 40 people. A cue is six turns, as the bot has them. Each archive is asked in a process of its own, which is
what its memory is measured on.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import psutil

from persona.archive.index import Archive, build
from persona.archive.passages import Passage, passages_of
from persona.archive.ranking import Cue
from persona.transcript import Conversation, Turn

VOCABULARY, EXPONENT, SHIFT = 60_000, 1.05, 2.7  # Zipf-Mandelbrot
PEOPLE = [f"PERSON {number}" for number in range(40)]
WORDS_A_MESSAGE = 9.0
CUE_TURNS = 6
_WEIGHTS = list(accumulate(1 / (rank + SHIFT) ** EXPONENT for rank in range(1, VOCABULARY + 1)))
_WORDS = [f"w{rank:x}" for rank in range(VOCABULARY)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("-n", type=int, default=400, help="look-ups")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ask:
        print(json.dumps(asked(chosen.ask, chosen.n)))
        return
    print(
        f"{'messages':>10} {'passages':>9} {'built s':>8} {'MB':>7} {'p50 ms':>7} {'p95 ms':>7} {'max ms':>7} {'RSS MiB':>8}"
    )
    for messages in chosen.messages:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "archive.sqlite"
            began = time.monotonic()
            passages = build(path, talk(messages))
            seconds = time.monotonic() - began
            words = [sys.executable, "-m", "bench.memory", "--ask", str(path), "-n", str(chosen.n)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            p50, p95, longest, rss = json.loads(done.stdout)
            size = path.stat().st_size / 1e6
            print(
                f"{messages:10,} {passages:9,} {seconds:8.1f} {size:7.1f} {p50:7.1f} {p95:7.1f} {longest:7.1f} {rss:8.1f}"
            )


def talk(messages: int) -> Iterator[Passage]:
    """Yield the passages of so many messages."""
    rng = random.Random(1)
    number = said = 0
    while said < messages:
        count = rng.randint(2, 30)
        said += count
        number += 1
        turns = tuple(Turn(rng.choice(PEOPLE), (message(rng),)) for _ in range(count))
        times = [1e9 + 600.0 * number + 20 * place for place in range(count)]
        yield from passages_of(Conversation("group", turns, 2020), times, id=f"{number:016x}")


def message(rng: random.Random) -> str:
    """Return a message: geometric in length."""
    count = 1 + int(rng.expovariate(1 / WORDS_A_MESSAGE))
    return " ".join(rng.choices(_WORDS, cum_weights=_WEIGHTS, k=count))


def asked(path: Path, count: int) -> list[float]:
    """Return the median, 95th percentile and maximum of a look-up, in ms of a core, and the MiB that an archive needs."""
    rng = random.Random(2)
    cues = [Cue([Turn(rng.choice(PEOPLE), (message(rng),)) for _ in range(CUE_TURNS)]) for _ in range(count)]
    before = psutil.Process().memory_info().rss
    archive = Archive.open(path)
    times: list[float] = []  # of this thread's own, since other work on the machine is none of a look-up's
    for cue in cues:
        began = time.thread_time()
        archive.search(cue)
        times.append(1000 * (time.thread_time() - began))
    grown = psutil.Process().memory_info().rss - before
    return [*map(float, np.percentile(times, [50, 95, 100])), grown / 2**20]


if __name__ == "__main__":
    main()
