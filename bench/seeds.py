"""The recipe over seeds: does any run diverge, and how far apart do they come out?

    python -m bench.seeds PERSONA.TOML --seeds 10

Each run trains an adapter as `train` would with these settings and another seed: other first weights, other order, other dropout.
ALTEREGO_BFLOAT16=1 has them compute in bfloat16, with products that are rounded to it (rounded_products) where PyTorch's own
emulation takes half an hour a run; --old-card in float16, as cards before Ampere do. A run has diverged if its held-out loss was
ever above the base's.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from bench.old_card import old_card
from bench.rounded_products import RoundedProducts
from engine.cpu_precision import bfloat16_switch
from engine.numerics import numerics_of
from persona.config import Settings, load
from trainer.adapter.setup import TrainingSetup, build_setup, chosen_learning_rate
from trainer.base.loading import open_base
from trainer.corpus.store import load as load_corpus
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.lora import add_adapter, train_adapter
from trainer.progress import Bars


@dataclass(frozen=True, slots=True)
class Run:
    """One training. evaluated, bits: held-out bits a character on its way, and of the adapter that was kept."""

    seed: int
    evaluated: list[float]
    bits: float
    minutes: float


def main() -> None:
    """Train once for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--old-card", action="store_true", help="as on a card before Ampere")
    arguments = parser.parse_args()
    with computing(old=arguments.old_card):
        measure(load(arguments.settings), range(arguments.first, arguments.first + arguments.seeds))


def computing(*, old: bool) -> AbstractContextManager[object]:
    """Return what a training runs in."""
    if old:
        return old_card()
    return RoundedProducts() if bfloat16_switch() else nullcontext()  # type: ignore[no-untyped-call]


def measure(settings: Settings, seeds: range) -> None:
    """Print a line for each seed, then all of them as JSON."""
    corpus, bars = load_corpus(settings), Bars(quiet=True)
    setup = build_setup(settings, corpus, open_base(settings, corpus, bars))
    setup.model.unload()
    base = measure_loss(setup.base.model, setup.calibration, setup.fit.tokens, setup.base.encoding.end_of_turn)
    runs = []
    for seed in seeds:
        runs.append(run := trained(settings, setup, seed))
        on_the_way = " ".join(f"{bits:.3f}" for bits in run.evaluated)
        print(f"seed {seed}: {on_the_way} -> {run.bits:.3f} in {run.minutes:.1f} minutes", flush=True)
    print(json.dumps(summary(base.bits_per_character, runs, setup), indent=1))


def trained(settings: Settings, setup: TrainingSetup, seed: int) -> Run:
    """Train an adapter with another seed than the settings'."""
    chosen = settings.train.model_copy(update={"seed": seed})
    model, end = add_adapter(setup.base.model, chosen), setup.base.encoding.end_of_turn
    folder, evaluated, began = Path(tempfile.mkdtemp()), list[float](), time.monotonic()
    try:
        train_adapter(
            model,
            setup.rows,
            setup.calibration,
            chosen,
            learning_rate=chosen_learning_rate(settings, setup.base),
            fit=setup.fit,
            pad=end,
            folder=folder,
            callbacks=[],
            bars=Bars(quiet=True),
            on_evaluate=lambda step, metrics: evaluated.append(metrics["eval_bits_per_character"]),
        )
        kept = measure_loss(model, setup.calibration, setup.fit.tokens, end).bits_per_character
        return Run(seed, evaluated, kept, (time.monotonic() - began) / 60)
    finally:
        model.unload()
        shutil.rmtree(folder, ignore_errors=True)


def summary(base: float, runs: list[Run], setup: TrainingSetup) -> dict[str, object]:
    """Return how many diverged, and the spread of what was learned."""
    gains = [base - run.bits for run in runs]
    return {
        "computed in": str(numerics_of(setup.base.model.device).autocast or torch.float32),
        "rows": len(setup.rows),
        "tokens a step": setup.fit.tokens,
        "base": base,
        "diverged": sum(any(not bits <= base for bits in (*run.evaluated, run.bits)) for run in runs),
        "gain": {"least": min(gains), "median": statistics.median(gains), "most": max(gains)},
        "runs": [asdict(run) for run in runs],
    }


if __name__ == "__main__":
    main()
