"""Replies a second and time to the first word: rivals and our engines, one after the other in one run, round by round.

    python -m bench.serve [--quick] [--shape small] [--shape 0.5B] [--rounds 3] [--write docs/performance]

Times are of this machine as it is; the ratios are what to look at. Random weights, so nothing is downloaded.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from bench.contestants import SLOTS, LlamaCpp, Naive, Ours, StaticBatch, TransformersContinuous
from bench.load import Ask, Contestant, Summary, burst, drive, percentile, poisson, prompt, summary
from bench.plot import plot_arrivals
from bench.shapes import LONGEST, SHAPES, encoding_for, gguf_of, random_model
from engine.backends.openvino_engine import OpenVinoStepper
from engine.backends.transformers_engine import transformers_engine
from engine.own_thread import in_own_thread
from engine.prepacked_linear import prepack_linear
from engine.worker import ThreadedEngine

NAIVE = "generate() one by one"


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured on one shape, and how much of it. vocabulary: of the prompts. weights: parameters."""

    shape: str
    model: Any
    vocabulary: int
    contestants: Sequence[Contestant]
    rounds: int
    quick: bool

    def burst(self, seed: int = 0) -> list[Ask]:
        """The requests of a round, all at once."""
        return burst(8, self.vocabulary, (4, 8, 16), seed) if self.quick else burst(32, self.vocabulary, seed=seed)

    def named(self, *words: str) -> Iterator[Contestant]:
        """Those whose name begins with one of the words."""
        return (one for one in self.contestants if one.name.startswith(words))


class Figures:
    """What was found so far. With a path each part is kept in FILE.part, from which a run that was cut off goes on; a whole
    run ends as FILE.json."""

    def __init__(self, path: Path | None) -> None:
        self._part = path.with_suffix(".part") if path else None
        there = self._part and self._part.is_file()
        self.found: dict[str, Any] = json.loads(self._part.read_text(encoding="utf-8")) if self._part and there else {}

    def keep(self, shape: str, part: str, figures: Any) -> None:
        """Add the figures of one part of the bench."""
        self.found.setdefault(shape, {})[part] = figures
        if self._part:
            self._part.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")

    def end(self) -> None:
        """Nothing is left to measure."""
        if self._part:
            self._part.replace(self._part.with_suffix(".json"))


def main() -> None:
    """Measure, print, and write figures where asked to."""
    wishes = _wishes()
    transformers_logging.set_verbosity_error()
    figures = Figures(wishes.write)
    figures.found |= {"threads": torch.get_num_threads(), "bandwidth": in_own_thread(_bandwidth)}
    print(f"{figures.found['threads']} threads, memory reads {figures.found['bandwidth'] / 1e9:.1f} GB/s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in wishes.shape or (["small"] if wishes.quick else list(SHAPES)):
            asyncio.run(_measure(_bench(name, Path(folder), wishes), figures))
    figures.end()
    if wishes.write:
        arrivals = {name: figures.found[name]["arrivals"] for name in SHAPES if name in figures.found}
        plot_arrivals(arrivals, wishes.write.with_suffix(".svg"))


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the small shape, few requests, one round")
    parser.add_argument("--shape", action="append", choices=list(SHAPES), help="only these shapes")
    parser.add_argument("--rounds", type=int, default=0, help="how often each is measured; default: 3, of 0.5B 1")
    parser.add_argument("--write", type=Path, help="write FILE.json and the plot FILE.svg; FILE.part until then")
    return parser.parse_args()


def _bench(name: str, folder: Path, wishes: argparse.Namespace) -> Bench:
    shape = SHAPES[name]()
    model, encoding = in_own_thread(partial(random_model, shape)), encoding_for(shape.vocabulary)
    ggufs = {kind: in_own_thread(partial(gguf_of, model, encoding, folder, kind)) for kind in ("f16", "q8_0", "q4_0")}

    def through_openvino(precision: str) -> ThreadedEngine:
        return ThreadedEngine(
            "openvino",
            partial(OpenVinoStepper, ggufs[precision], 0, frozenset({0}), SLOTS, LONGEST),
            encoding,
            stops=frozenset(),
            max_length=LONGEST,
            max_concurrent=SLOTS,
        )

    def through_transformers() -> ThreadedEngine:
        ours = prepack_linear(deepcopy(model, {id(weight): weight for weight in model.parameters()}))
        return transformers_engine(ours, encoding, stops=frozenset(), max_length=LONGEST, max_concurrent=SLOTS)

    contestants: list[Contestant] = [
        Naive(f"{NAIVE}, fp32", model),
        StaticBatch("generate() in batches, fp32", model),
        TransformersContinuous("transformers continuous batching, fp32", model),
        Ours("alterego transformers, fp32", through_transformers),
        *(LlamaCpp(f"llama.cpp server {p.upper()}", ggufs[p], encoding, 512, LONGEST) for p in ("f16", "q8_0")),
        *(Ours(f"alterego openvino {p.upper()}", partial(through_openvino, p)) for p in ("f16", "q8_0", "q4_0")),
    ]
    rounds = wishes.rounds or (1 if wishes.quick or name == "0.5B" else 3)
    return Bench(name, model, shape.vocabulary, contestants, rounds, wishes.quick)


async def _measure(bench: Bench, figures: Figures) -> None:
    """Every part that isn't measured yet."""
    print(f"\n# {bench.shape}: {bench.model.num_parameters() / 1e6:.0f}M parameters, random weights", flush=True)
    parts: dict[str, Callable[[Bench], Awaitable[Any]]] = {
        "at_once": _at_once,
        "alone": partial(_alone, bandwidth=figures.found["bandwidth"]),
        "short_beside_long": _short_beside_long,
        "follow_up": _follow_up,
        "arrivals": _arrivals,
    }
    for name, part in parts.items():
        if name not in figures.found.get(bench.shape, {}):
            figures.keep(bench.shape, name, await part(bench))


@asynccontextmanager
async def _opened(contestant: Contestant) -> Any:
    """Open, and warmed up by a short request."""
    await contestant.open()
    try:
        await contestant.answer(Ask(0.0, tuple(range(300, 340)), 4, 0))
        yield contestant
    finally:
        await contestant.close()


async def _at_once(bench: Bench) -> dict[str, Any]:
    """All requests at the same moment, mixed lengths; the ratios are to generate() one by one."""
    print(f"\n{len(bench.burst())} at once            tokens/s      x   first p50/p95 s    x      latency p50/p95 s")
    runs: dict[str, list[Summary]] = {one.name: [] for one in bench.contestants}
    for turn in range(bench.rounds):
        for contestant in bench.contestants:
            async with _opened(contestant):
                answers = await drive(contestant, bench.burst(seed=turn))
            runs[contestant.name].append(summary(answers))
            print(".", end="", file=sys.stderr, flush=True)
    typical = {name: _median(rows) for name, rows in runs.items()}
    naive = typical[bench.contestants[0].name]
    for name, one in typical.items():
        print(
            f"{name:40}{one.tokens_per_second:8.1f} {one.tokens_per_second / naive.tokens_per_second:6.1f}  "
            f"{one.first_p50:7.2f} /{one.first_p95:7.2f} {one.first_p95 / naive.first_p95:6.3f}  "
            f"{one.latency_p50:7.2f} /{one.latency_p95:7.2f}",
            flush=True,
        )
    return {name: asdict(one) for name, one in typical.items()}


def _median(rows: Sequence[Summary]) -> Summary:
    return Summary(*(statistics.median(column) for column in zip(*(asdict(row).values() for row in rows), strict=True)))


async def _alone(bench: Bench, bandwidth: float) -> dict[str, Any]:
    """One request at a time; the bound is what reading all weights once a token would allow."""
    count = 24 if bench.quick else 64
    print("\none at a time                           tokens/s   of the bound")
    found = {}
    for contestant in bench.named(NAIVE, "alterego", "llama.cpp"):
        async with _opened(contestant):
            rates = []
            for turn in range(bench.rounds + 1):
                ids = prompt(random.Random(turn), 40, bench.vocabulary)
                (answer,) = await drive(contestant, [Ask(0.0, ids, count, turn)])
                rates.append((count - 1) / (answer.tokens[-1] - answer.tokens[0]))
        rate = statistics.median(rates)
        bound = bandwidth / (bench.model.num_parameters() * _bytes_a_weight(contestant.name))
        found[contestant.name] = {"tokens_per_second": rate, "of_bound": rate / bound}
        print(f"{contestant.name:40}{rate:8.1f} {rate / bound:10.0%}", flush=True)
    return found


def _bytes_a_weight(name: str) -> float:
    return {"fp32": 4.0, "F16": 2.0, "Q8_0": 34 / 32, "Q4_0": 18 / 32}[name.split()[-1]]


async def _short_beside_long(bench: Bench) -> dict[str, Any]:
    """Replies of 8 tokens, one after the other, alone and beside eight of 128 that never end."""
    print("\n8-token replies                         alone p50 s   beside long ones      x")
    found = {}
    for contestant in bench.named("alterego transformers", "alterego openvino F16"):
        async with _opened(contestant):
            alone = await _shorts(bench, contestant)
            going = [asyncio.create_task(_keep_going(bench, contestant, number)) for number in range(8)]
            await asyncio.sleep(1.0)
            beside = await _shorts(bench, contestant)
            for task in going:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)
        found[contestant.name] = {"alone": alone, "beside": beside, "ratio": beside / alone}
        print(f"{contestant.name:40}{alone:11.3f} {beside:15.3f} {beside / alone:9.1f}", flush=True)
    return found


async def _shorts(bench: Bench, contestant: Contestant) -> float:
    latencies = []
    for number in range(5 if bench.quick else 15):
        ids = prompt(random.Random(number), 40, bench.vocabulary)
        latencies += [one.latency for one in await drive(contestant, [Ask(0.0, ids, 8, number)])]
    return percentile(latencies, 50)


async def _keep_going(bench: Bench, contestant: Contestant, number: int) -> None:
    rng = random.Random(1000 + number)
    while True:
        await contestant.answer(Ask(0.0, prompt(rng, 40, bench.vocabulary), 128, number))


async def _follow_up(bench: Bench) -> dict[str, Any]:
    """40 new tokens in a channel that holds 500 or 1,500: time to the first token, with what is known and without."""
    print("\n40 new tokens in a channel of           known s   unknown s      x")
    found = {}
    for contestant in bench.named("alterego transformers", "alterego openvino F16"):
        async with _opened(contestant):
            for length in (500, 1500):
                pairs = [await _known_and_unknown(bench, contestant, length, turn) for turn in range(bench.rounds + 1)]
                known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
                found[f"{contestant.name} {length}"] = {"known": known, "unknown": unknown, "ratio": unknown / known}
                print(f"{contestant.name:32}{length:6}{known:10.3f} {unknown:10.3f} {unknown / known:7.1f}", flush=True)
    return found


async def _known_and_unknown(bench: Bench, contestant: Contestant, length: int, turn: int) -> tuple[float, float]:
    rng = random.Random(length + turn)
    before, after = prompt(rng, length, bench.vocabulary), prompt(rng, 40, bench.vocabulary)
    other = prompt(rng, length, bench.vocabulary)
    channel = f"{length} {turn}"
    await contestant.answer(Ask(0.0, before, 1, 0, channel))
    (known,) = await drive(contestant, [Ask(0.0, before + after, 1, 0, channel)])
    (unknown,) = await drive(contestant, [Ask(0.0, other + after, 1, 0, f"{channel} other")])
    return known.to_first, unknown.to_first


async def _arrivals(bench: Bench) -> dict[str, Any]:
    """Requests that arrive at random, at a third of, at two thirds of and at what our transformers engine serves at most."""
    ours = next(bench.named("alterego transformers"))
    async with _opened(ours):
        answers = await drive(ours, bench.burst())
    full = len(answers) / (max(one.done for one in answers) - min(one.arrived for one in answers))
    print("\nPoisson arrivals, requests/s              tokens/s   first p50/p95/p99 s     latency p50/p95/p99 s")
    found: dict[str, Any] = {}
    rivals = () if bench.quick else ("transformers", "llama.cpp server F16")
    for contestant in bench.named(NAIVE, "alterego transformers", "alterego openvino F16", *rivals):
        for share in (1 / 3, 2 / 3, 1.0):
            async with _opened(contestant):
                answers = await drive(contestant, poisson(bench.burst(), full * share))
            one, first = summary(answers), [answer.to_first for answer in answers]
            row = {"rate": full * share, "first_p99": percentile(first, 99), **asdict(one)}
            found.setdefault(contestant.name, []).append(row)
            print(
                f"{contestant.name:40}{full * share:5.2f} {one.tokens_per_second:8.1f}  "
                f"{one.first_p50:6.2f} /{one.first_p95:6.2f} /{row['first_p99']:6.2f}   "
                f"{one.latency_p50:6.2f} /{one.latency_p95:6.2f} /{one.latency_p99:6.2f}",
                flush=True,
            )
    return found


def _bandwidth() -> float:
    """Bytes a second that all threads together read, best of some passes over more than any cache holds."""
    block = torch.ones(512 * 2**20 // 4)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        block.sum()
        times.append(time.perf_counter() - began)
    return block.numel() * 4 / min(times)


if __name__ == "__main__":
    main()
