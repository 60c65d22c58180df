"""What a training would take, without training: parameters, memory, steps, time."""

import math
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any, cast

from peft import PeftModel

from persona.config import Settings
from persona.transcript import render
from trainer.adapter.setup import Material, prepare
from trainer.base.loading import grown_folder, planned_base
from trainer.base.pretraining import minutes_for
from trainer.corpus.store import Corpus
from trainer.loop.batches import Batches
from trainer.loop.distributed import world
from trainer.loop.held_out_loss import autocast
from trainer.loop.lora import target_tokens
from trainer.loop.loss import CHUNK, summed_loss
from trainer.loop.memory import free_bytes, saved_bytes
from trainer.loop.packing import can_pack, side_by_side
from trainer.loop.trainer import order_of
from trainer.progress import Bars

_ADAM = 12  # bytes a trained weight needs besides itself: gradient and two moments


@dataclass(frozen=True, slots=True)
class Plan:
    """Figures of a training that has not begun. Memory in bytes; growing_minutes: of a base that is not there yet."""

    base: str
    device: str
    parameters: int
    trainable: int
    vocabulary: int
    max_length: int
    conversations: int
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
    memory_free: int
    growing_minutes: float
    training_minutes: float


def plan(settings: Settings, corpus: Corpus, bars: Bars) -> Plan:
    """The plan of `train` with these settings; one step's forward and backward are run for the time. Raises UserError as
    `train` would."""
    material = prepare(settings, corpus, planned_base(settings, corpus, bars))
    base, model, fit = material.base, material.model, material.fit
    steps = round(order_of(material.rows, fit, packs=can_pack(model)).batches * settings.train.epochs)
    trainable = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    weights = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    at_once = saved_bytes(model, checkpointing=fit.checkpointing) * fit.tokens / fit.parts / world()[1]
    return Plan(
        base=base.seal.model,
        device=str(model.device),
        parameters=sum(weight.numel() for weight in model.parameters()),
        trainable=trainable,
        vocabulary=base.encoding.vocabulary,
        max_length=base.max_length,
        conversations=len(material.rows),
        tokens=sum(len(row.ids) for row in material.rows),
        target_tokens=target_tokens(material.rows),
        tokens_per_step=fit.tokens,
        forwards_per_step=fit.parts,
        checkpointing=fit.checkpointing,
        processes=world()[1],
        steps=steps,
        memory_weights=weights,
        memory_adapter=_ADAM * trainable,
        memory_activations=round(at_once) + 3 * 4 * CHUNK,
        memory_free=round(free_bytes(model.device)),
        growing_minutes=_growing_minutes(settings, corpus),
        training_minutes=steps * _seconds_a_step(model, material) / 60,
    )


def rows_of(found: Plan) -> list[tuple[str, str]]:
    """The plan as rows for a table."""
    gib = {key: f"{value / 2**30:.2f} GiB" for key, value in asdict(found).items() if key.startswith("memory_")}
    grow = f"{found.growing_minutes:.1f} minutes for growing it, then " if found.growing_minutes else ""
    return [
        ("base", f"{found.base} on {found.device}, {found.parameters / 1e6:,.1f}M parameters"),
        ("adapter", f"{found.trainable / 1e6:,.2f}M parameters"),
        (
            "corpus",
            f"{found.conversations:,} conversations, {found.tokens:,} tokens, {found.target_tokens:,} with loss",
        ),
        (
            "step",
            f"{found.tokens_per_step:,} tokens in {found.forwards_per_step} forwards on {found.processes} processes",
        ),
        ("layers", "run again in the backward pass" if found.checkpointing else "remembered"),
        ("steps", f"at most {found.steps:,}"),
        (
            "memory",
            f"{gib['memory_weights']} weights, {gib['memory_adapter']} adapter, {gib['memory_activations']} a step",
        ),
        ("free", gib["memory_free"]),
        ("time", f"{grow}at most {found.training_minutes:.1f} minutes and its evaluations"),
    ]


def _growing_minutes(settings: Settings, corpus: Corpus) -> float:
    if settings.base.model != "scratch" or grown_folder(settings, corpus).is_dir():
        return 0.0
    if settings.base.minutes != "auto":
        return settings.base.minutes
    return minutes_for(sum(len(render(stretch.conversation)) for stretch in corpus.in_split("train")))


def _seconds_a_step(model: PeftModel, material: Material) -> float:
    """Of the quickest of three typical steps: the first warms up, and others may share the machine."""
    packs = can_pack(model)
    order = order_of(material.rows, material.fit, packs=packs, world=world()[1])
    batches = Batches(material.rows, order, material.base.encoding.end_of_turn)
    batch = sorted(batches, key=lambda one: one["input_ids"].numel())[len(order) // 2]
    placed = {name: tensor.to(model.device) for name, tensor in batch.items()}
    seconds = math.inf
    model.train()
    for _ in range(3):
        start = time.monotonic()
        with autocast(model.device), side_by_side(model) if packs else nullcontext():
            cast(Any, summed_loss(model, placed)).backward()
        seconds = min(seconds, time.monotonic() - start)
    model.zero_grad()
    return seconds * material.fit.parts
