"""What a training would take, without training: parameters, memory, steps, time."""

import math
import time
from dataclasses import asdict, dataclass
from typing import Any, cast

import psutil
from peft import PeftModel

from engine.numerics import autocast
from persona.bundle import SCRATCH
from persona.config import Settings
from persona.encoding import Encoding
from persona.transcript import render
from trainer.adapter.setup import TrainingSetup, build_setup
from trainer.base.loading import scratch_folder, untrained_base
from trainer.base.pretraining import budget_for, size_for
from trainer.corpus.store import Corpus
from trainer.loop.batches import Window, collate
from trainer.loop.device_memory import activation_bytes, free_bytes, free_memory, weight_bytes
from trainer.loop.distributed import world
from trainer.loop.lora import target_tokens
from trainer.loop.loss import CHUNK, summed_loss
from trainer.loop.packing import can_pack
from trainer.loop.trainer import build_sampler
from trainer.progress import Bars

TIMED_TOKENS = 128  # whose forward and backward are timed: a few seconds even on a large base
_ADAM = 12  # bytes a trained weight needs besides itself: gradient and two moments


@dataclass(frozen=True, slots=True)
class Plan:
    """Figures of a training that has not begun. Memory in bytes; memory_total: of the device, on a CPU with all that this
    process holds besides. growing_minutes: of a base that is not there yet."""

    base: str
    device: str
    parameters: int
    trainable: int
    vocabulary: int
    max_length: int
    conversations: int
    memory_rows: int
    tokens: int
    target_tokens: int
    tokens_per_step: int
    forwards_per_step: int
    checkpointing: bool
    processes: int
    steps: int
    memory_weights: int
    memory_adapter: int
    memory_activations: int
    memory_total: int
    memory_free: int
    growing_minutes: float
    training_minutes: float


def plan(settings: Settings, corpus: Corpus, bars: Bars) -> Plan:
    """Return the plan of `train` with these settings; forward and backward of a few tokens are run for the time.
    Raises UserError as `train` would."""
    setup = build_setup(settings, corpus, untrained_base(settings, corpus, bars))
    base, model, fit = setup.base, setup.model, setup.fit
    steps = round(build_sampler(setup.rows, fit, packs=can_pack(model)).batches * settings.train.epochs)
    trainable = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    at_once = activation_bytes(model, checkpointing=fit.checkpointing) * fit.tokens / fit.micro_batches / world()[1]
    weights, adapter, activations = weight_bytes(model), _ADAM * trainable, round(at_once) + 3 * 4 * CHUNK
    return Plan(
        base=base.seal.model,
        device=str(model.device),
        parameters=sum(weight.numel() for weight in model.parameters()),
        trainable=trainable,
        vocabulary=base.encoding.vocabulary,
        max_length=base.max_length,
        conversations=len(setup.rows) - setup.remembering,
        memory_rows=setup.remembering,
        tokens=sum(len(row.ids) for row in setup.rows),
        target_tokens=target_tokens(setup.rows),
        tokens_per_step=fit.tokens,
        forwards_per_step=fit.micro_batches,
        checkpointing=fit.checkpointing,
        processes=world()[1],
        steps=steps,
        memory_weights=weights,
        memory_adapter=adapter,
        memory_activations=activations,
        memory_total=_held_besides(model) + weights + adapter + activations,
        memory_free=round(free_bytes(model.device)),
        growing_minutes=_growing_minutes(settings, corpus, base.encoding),
        training_minutes=steps * _seconds_a_step(model, setup) / 60,
    )


def rows_of(plan: Plan) -> list[tuple[str, str]]:
    """Return the plan as rows for a table."""
    gib = {key: f"{value / 2**30:.2f} GiB" for key, value in asdict(plan).items() if key.startswith("memory_")}
    pretraining = f"{plan.growing_minutes:.1f} minutes of pretraining, then " if plan.growing_minutes else ""
    return [
        ("base", f"{plan.base} on {plan.device}, {plan.parameters / 1e6:,.1f}M parameters"),
        ("adapter", f"{plan.trainable / 1e6:,.2f}M parameters"),
        (
            "corpus",
            f"{plan.conversations:,} conversations"
            + (plan.memory_rows > 0) * f" and {plan.memory_rows:,} replies with memories"
            + f", {plan.tokens:,} tokens, {plan.target_tokens:,} with loss",
        ),
        (
            "step",
            f"{plan.tokens_per_step:,} tokens in {plan.forwards_per_step} micro-batches on {plan.processes} processes",
        ),
        ("layers", "recomputed in the backward pass" if plan.checkpointing else "stored"),
        ("steps", f"at most {plan.steps:,}"),
        (
            "memory",
            f"{gib['memory_weights']} weights, {gib['memory_adapter']} adapter, {gib['memory_activations']} a step; "
            f"{gib['memory_total']} in all",
        ),
        ("free", gib["memory_free"]),
        ("time", f"{pretraining}at most {plan.training_minutes:.1f} minutes and its evaluations"),
    ]


def _held_besides(model: PeftModel) -> int:
    """Return the bytes that this process holds besides the weights: libraries above all, and none of them on a GPU."""
    if model.device.type != "cpu":
        return 0
    free_memory()
    own: int = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    return max(0, int(psutil.Process().memory_info().rss) - own)


def _growing_minutes(settings: Settings, corpus: Corpus, encoding: Encoding) -> float:
    """Return what pretraining takes on two quiet cores; 0 if the base is there."""
    if settings.base.model != SCRATCH or (scratch_folder(settings, corpus) / "model.safetensors").is_file():
        return 0.0
    conversations = [record.conversation for record in corpus.in_split("train")]
    tokens = sum(len(encoded.ids) for encoded in encoding.conversations(conversations, ()))
    minutes = None if settings.base.minutes == "auto" else settings.base.minutes
    return budget_for(size_for(sum(len(render(talk)) for talk in conversations)), tokens, minutes).minutes


def _seconds_a_step(model: PeftModel, setup: TrainingSetup) -> float:
    """Return what a step takes at the rate of a short row, the quicker of two: the first warms up, and others may share the
    machine."""
    rows, seconds = setup.rows[:1], math.inf
    ids = (rows[0].ids * TIMED_TOKENS)[:TIMED_TOKENS]
    labelled = sum(sum(row.loss_mask) for row in setup.rows) / max(1, sum(len(row.ids) for row in setup.rows))
    batch = collate([Window(ids, [place % max(1, round(1 / labelled)) == 0 for place in range(len(ids))], 0)])
    placed = {name: tensor.to(model.device) for name, tensor in batch.items()}
    model.train()
    for _ in range(2):
        start = time.monotonic()
        with autocast(model.device):
            cast(Any, summed_loss(model, placed)).backward()
        seconds = min(seconds, time.monotonic() - start)
    model.zero_grad()
    return seconds / TIMED_TOKENS * setup.fit.tokens / world()[1]
