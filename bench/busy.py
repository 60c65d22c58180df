"""Training beside other work: seconds a step on a quiet and on a busy machine, by how long waiting threads spin.

    python -m bench.busy            two shapes of scratch bases, each way of waiting; about five minutes
    python -m bench.busy --demo     import and train the sample as `make demo` does, quiet and beside two busy loops

Busy means as many endless loops as `--loops`, beside threads for two cores. Where other programs run, "quiet" is not:
the load before each table is printed.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from persona.sample import EXPORTS, SETTINGS, copied_settings, sample_folder

ROOT = Path(__file__).parent.parent
SHAPES = {"192 x 4, 2,048 ids": (192, 4, 2048), "256 x 6, 4,096 ids": (256, 6, 4096)}
WAYS: dict[str, dict[str, str]] = {
    "PyTorch's default": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"},
    "100 spins": {"GOMP_SPINCOUNT": "100"},
    "1,000 spins": {"GOMP_SPINCOUNT": "1000"},
    "10,000 spins": {"GOMP_SPINCOUNT": "10000"},
}
STEPS, WARM_UP = 8, 2  # measured, and run before


def main() -> None:
    """Print the table, or the demo's two rows, and the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", action="store_true", help="the sample's training instead of single steps")
    parser.add_argument("--loops", type=int, default=2, help="endless loops beside it")
    parser.add_argument("--step", nargs=3, type=int, help=argparse.SUPPRESS)  # one shape, in a process of its own
    arguments = parser.parse_args()
    if arguments.step:
        print(seconds_a_step(*arguments.step))
        return
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(json.dumps(demo(arguments.loops) if arguments.demo else steps(arguments.loops), indent=1))


def steps(loops: int) -> dict[str, dict[str, list[float]]]:
    """Return [quiet, busy] seconds a step by shape and way of waiting."""
    figures: dict[str, dict[str, list[float]]] = {}
    for shape, numbers in SHAPES.items():
        for way, chosen in WAYS.items():
            quiet = _measured(numbers, chosen)
            with busy(loops):
                beside = _measured(numbers, chosen)
            figures.setdefault(shape, {})[way] = [quiet, beside]
            print(f"{shape:20} {way:20} quiet {quiet:.3f}  busy {beside:.3f}", flush=True)
    return figures


def demo(loops: int) -> dict[str, dict[str, float]]:
    """Return minutes and held-out bits a character of the sample's training, quiet and busy."""
    figures = {"quiet": _trained()}
    with busy(loops):
        figures["busy"] = _trained()
    for name, row in figures.items():
        print(f"{name:6} {row['minutes']:.2f} minutes  {row['bits']:.4f} bits a character", flush=True)
    return figures


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """Run endless loops in processes of their own."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        time.sleep(1)
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def seconds_a_step(hidden: int, layers: int, vocabulary: int) -> float:
    """Return the median seconds of a forward, a backward and an optimizer step over 8 blocks of 256 tokens."""
    import torch
    from transformers import Qwen3ForCausalLM

    from engine.numerics import autocast
    from trainer.base.pretraining import MuonWithAdam, Size, shape, train_tokenizer

    config = shape(Size(hidden, layers, vocabulary), train_tokenizer(["a b c"], vocabulary)).config
    config.vocab_size = vocabulary
    model = Qwen3ForCausalLM(config)
    optimizer, device = MuonWithAdam(model), torch.device("cpu")
    ids = torch.randint(0, vocabulary, (8, 256))
    seconds = []
    for _ in range(WARM_UP + STEPS):
        began = time.monotonic()
        with autocast(device):
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds[WARM_UP:])


def _measured(numbers: tuple[int, int, int], chosen: dict[str, str]) -> float:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    command = [sys.executable, "-m", "bench.busy", "--step", *map(str, numbers)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "OMP_NUM_THREADS": "2", **chosen},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.split()[-1])


def _trained() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / SETTINGS
        shutil.copytree(sample_folder() / EXPORTS, Path(folder) / EXPORTS)
        settings.write_text(copied_settings(), encoding="utf-8")
        began = time.monotonic()
        for command in (["import"], ["train", "--json"]):
            done = subprocess.run(
                [sys.executable, "-m", "trainer", *command, "--config", str(settings)],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
        metrics = json.loads(done.stdout)["metrics"]
        return {"minutes": (time.monotonic() - began) / 60, "bits": float(metrics["bits_per_character"])}


if __name__ == "__main__":
    main()
