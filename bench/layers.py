"""A training step on a CPU with PEFT's layers and torch's attention, and with ours, in turn: tokens a second and the ratio.

    python -m bench.layers FOLDER        a base model's folder, SmolLM2-135M for instance; three minutes on two quiet cores

The same packed rows of random ids, some 650 tokens a step, for both; rank 16 on all linear layers, dropout .05.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import PeftModel

from engine.backends.transformers_engine import load_base
from engine.numerics import autocast
from persona.config import Train
from trainer.loop import short_attention
from trainer.loop.batches import Window, pack
from trainer.loop.fused_lora import fused_lora
from trainer.loop.lora import add_adapter
from trainer.loop.loss import summed_loss
from trainer.loop.packing import side_by_side

TOKENS = 600  # a step has at least
WARMING, STEPS, TURNS = 2, 8, 3


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    model = add_adapter(load_base(parser.parse_args().folder, None, torch.float32), Train())
    model.train()
    steps = list(rows_of_steps(WARMING + STEPS, int(model.config.get_text_config().vocab_size)))
    rates: dict[str, list[float]] = {"PEFT and torch": [], "ours": []}
    for _ in range(TURNS):
        for name, measured in rates.items():
            measured.append(tokens_per_second(model, steps, ours=name == "ours"))
    for name, measured in rates.items():
        print(f"{name}: {statistics.median(measured):,.0f} tokens/s ({min(measured):,.0f} to {max(measured):,.0f})")
    theirs, ours = rates.values()
    ratios = [mine / plain for plain, mine in zip(theirs, ours, strict=True)]
    print(f"ours is {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})")


def rows_of_steps(count: int, vocabulary: int) -> Iterator[list[Window]]:
    """Rows as long as conversations are, of random ids, a third of them with loss."""
    rng = random.Random(0)
    for _ in range(count):
        rows: list[Window] = []
        while sum(len(row.ids) for row in rows) < TOKENS:
            length = rng.randrange(20, 140)
            rows.append(
                Window(rng.choices(range(5, vocabulary), k=length), [k > 0.7 * length for k in range(length)], 0)
            )
        yield rows


def tokens_per_second(model: PeftModel, steps: Sequence[Sequence[Window]], *, ours: bool) -> float:
    """Of the steps after the first ones."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-5, fused=True)
    began, tokens = 0.0, 0
    for number, rows in enumerate(steps):
        if number == WARMING:
            began = time.perf_counter()
        tokens += sum(len(row.ids) for row in rows) if number >= WARMING else 0
        with layers(model, ours=ours), autocast(model.device):
            loss = summed_loss(model, pack(rows))
            torch.autograd.backward(loss / TOKENS)
        optimizer.step()
        optimizer.zero_grad()
    return tokens / (time.perf_counter() - began)


@contextmanager
def layers(model: PeftModel, *, ours: bool) -> Iterator[None]:
    """Our layers and attention, or PEFT's and torch's; the rows lie side by side in both."""
    longest = short_attention.LONGEST
    with side_by_side(model):
        if ours:
            with fused_lora(model):
                yield
            return
        short_attention.LONGEST = 0
        try:
            yield
        finally:
            short_attention.LONGEST = longest


if __name__ == "__main__":
    main()
