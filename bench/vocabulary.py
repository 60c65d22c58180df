"""What a vocabulary of a quarter of a million tokens costs beside the model: drawing a token, and reading a GGUF file.

    python -m bench.vocabulary [--tokens 262144]

Rivals, each in the same run: transformers' own warpers with torch.multinomial, and the gguf package's reader. Prints medians
and ratios.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gguf
import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from engine.gguf_reader import ShortListsReader
from engine.sampler import next_noise_seed, sample_tokens
from persona.sampling import SamplingParams

RULE = SamplingParams(temperature=0.9, top_p=0.95, min_p=0.0)
# spreads of random logits: how many tokens hold .95 of what is likely
SPREADS = (8.0, 4.0, 1.0)


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=262_144, help="of the vocabulary")
    count = parser.parse_args().tokens
    for rows in (1, 8):
        for spread in SPREADS:
            _sampling(torch.randn(rows, count, generator=torch.Generator().manual_seed(0)) * spread)
    with tempfile.TemporaryDirectory() as folder:
        file = _file(Path(folder) / "model.gguf", count)
        _print("reading a GGUF file", lambda: gguf.GGUFReader(file), lambda: ShortListsReader(file), runs=3)


def _sampling(logits: torch.Tensor) -> None:
    theirs = LogitsProcessorList([TemperatureLogitsWarper(RULE.temperature), TopPLogitsWarper(RULE.top_p)])
    none = torch.zeros(len(logits), 1, dtype=torch.long)
    seeds = [next_noise_seed(random.Random(row)) for row in range(len(logits))]

    def warped() -> torch.Tensor:
        return torch.as_tensor(theirs(none, logits.clone()))

    kept = int((warped()[0] > -torch.inf).sum())
    _print(
        f"drawing for {len(logits)} of {kept:,} likely tokens",
        lambda: torch.multinomial(warped().softmax(-1), 1),
        lambda: sample_tokens(logits, [RULE] * len(logits), seeds),
        runs=7,
    )


def _file(path: Path, count: int) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list([f"token {number}" for number in range(count)])
    writer.add_token_scores([0.0] * count)
    writer.add_token_types([1] * count)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def _print(name: str, theirs: Callable[[], object], ours: Callable[[], object], *, runs: int) -> None:
    """Run both in turn, after one of each that isn't counted."""
    times: dict[Callable[[], object], list[float]] = {theirs: [], ours: []}
    for _ in range(runs + 1):
        for run, spent in times.items():
            began = time.perf_counter()
            run()
            spent.append((time.perf_counter() - began) * 1e3)
    rival, mine = (statistics.median(spent[1:]) for spent in times.values())
    print(f"{name:45} {rival:9,.1f} ms  ours {mine:8,.1f} ms  x{rival / mine:,.1f}", flush=True)


if __name__ == "__main__":
    main()
