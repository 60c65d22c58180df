"""What memory costs: an archive is made and asked, and a channel is looked through.

    python -m bench.memory [--messages 10000 100000 1000000] [-n 400]

Messages are made up of words as frequent as in a language (Zipf's law; 60,000 of them, nine to a message), in conversations of
2 to 30 turns among 40 people. A cue is six turns, as the bot has them. Each archive is asked in a process of its own, which is
what its memory is measured on. A channel's newest 1,000 messages are read from the store and looked through after each message
that is said there: "first" is after a start, "said on" later; "walls of text" has messages of 1,500 characters. Times are of a
core, which other work on the machine is none of.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import psutil

from bot.store import BotStore, InboundMessage
from bot.talk.channel_index import ChannelIndex
from bot.talk.recollection import MAX_CHARACTERS, MAX_MESSAGES, newest
from persona.archive.index import Archive, build
from persona.archive.passages import passages_of
from persona.archive.ranking import Cue
from persona.transcript import Conversation, Turn

VOCABULARY, EXPONENT, SHIFT = 60_000, 1.05, 2.7  # Zipf-Mandelbrot
PEOPLE = [f"PERSON {number}" for number in range(40)]
WORDS_A_MESSAGE = 9.0
CUE_TURNS = 6
LOOKS, SHOWN, LONG = (
    200,
    40,
    1500,
)  # looks through a channel; messages that stand in the prompt; characters of a long one
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
        f"{'messages':>10} {'passages':>9} {'made s':>8} {'MB':>7} {'p50 ms':>7} {'p95 ms':>7} {'max ms':>7} {'RSS MiB':>8}"
    )
    for messages in chosen.messages:
        print(_archive_row(messages, chosen.n), flush=True)
    print(f"\n{'channel':16} {'first ms':>9} {'said on: p50':>12} {'p95 ms':>7} {'max ms':>7} {'KiB kept':>9}")
    for name, length in (("usual", 0), ("walls of text", LONG)):
        first, *times, kept = asyncio.run(channel(length))
        p50, p95, longest = np.percentile(times, [50, 95, 100])
        print(f"{name:16} {first:9.1f} {p50:12.1f} {p95:7.1f} {longest:7.1f} {kept:9.0f}")


def _archive_row(messages: int, count: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.sqlite"
        said = list(talk(messages))
        began = time.process_time()
        passages = build(path, (passage for each in said for passage in passages_of(each[0], each[1], id=each[2])))
        seconds = time.process_time() - began
        del said
        words = [sys.executable, "-m", "bench.memory", "--ask", str(path), "-n", str(count)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        figures = " ".join(f"{figure:7.1f}" for figure in [path.stat().st_size / 1e6, *json.loads(done.stdout)])
        return f"{messages:10,} {passages:9,} {seconds:8.1f} {figures}"


def talk(messages: int) -> Iterator[tuple[Conversation, list[float], str]]:
    """Yield conversations of so many messages: what was said, when, and an id."""
    rng = random.Random(1)
    number = said = 0
    while said < messages:
        count = rng.randint(2, 30)
        said += count
        number += 1
        turns = tuple(Turn(rng.choice(PEOPLE), (message(rng),)) for _ in range(count))
        times = [1e9 + 600.0 * number + 20 * place for place in range(count)]
        yield Conversation("group", turns, 2020), times, f"{number:016x}"


def message(rng: random.Random, characters: int = 0) -> str:
    """Return a message: geometric in length, or of so many characters."""
    count = characters // 5 or 1 + int(rng.expovariate(1 / WORDS_A_MESSAGE))
    return " ".join(rng.choices(_WORDS, cum_weights=_WEIGHTS, k=count))[: characters or None]


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


async def channel(characters: int) -> list[float]:
    """Return the milliseconds of each look through a channel, with the reading of it, and the KiB that stay. characters: of
    a message, 0 for usual ones."""
    rng, at, times = random.Random(3), 0.0, []
    index, archive = ChannelIndex(), Archive.empty()
    with tempfile.TemporaryDirectory() as folder:
        store = await BotStore.open("sqlite:///bench.db", Path(folder))
        for number in range(MAX_MESSAGES + LOOKS):
            at += 30 if rng.random() > 0.02 else 7200
            who = rng.randrange(len(PEOPLE))
            place = ("discord:1", "discord:7", str(number), str(who), PEOPLE[who])
            said = InboundMessage(*place, (message(rng, characters),), at, name=f"p{who}")
            await store.inbox.commit("discord:1", [said], {})
            if number < MAX_MESSAGES:
                continue
            cue = Cue([Turn(rng.choice(PEOPLE), (message(rng),)) for _ in range(CUE_TURNS)])
            began = time.process_time()
            heard = newest(await store.memory.latest("discord:1", "discord:7", MAX_MESSAGES), MAX_CHARACTERS)
            shown = {each.message_id for each in heard[-SHOWN:]}
            archive.rank(cue, index.passages("here", heard, shown, "group"))
            times.append(1000 * (time.process_time() - began))
        await store.close()
    tracemalloc.start()
    fresh = ChannelIndex()
    fresh.passages("here", heard, shown, "group")
    return [*times, tracemalloc.get_traced_memory()[0] / 1024]


if __name__ == "__main__":
    main()
