"""How much of a batch fits into memory at once: measured on the model itself, on any device."""

import gc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import psutil
import torch
from peft import PeftModel
from transformers import PreTrainedModel

from engine.numerics import autocast, numerics_of
from persona.errors import UserError
from trainer.heap import give_back
from trainer.loop.fused_lora import fused_lora
from trainer.loop.loss import CHUNK, summed_loss

USED = 0.7  # of free memory; the rest is for what allocators and other programs take
TRANSIENT = (
    1.65  # times what a forward saves: gradients on their way and what the allocator can't reuse, measured on 135M
)
SHORT, LONG = 32, 96  # tokens of the two rows whose saved tensors are weighed
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Fit:
    """How a step is run. tokens: of one optimizer step, over all processes, with their padding if there is any.
    micro_batches: forward passes a step, in this process. checkpointing: layers are recomputed in the backward pass."""

    tokens: int
    micro_batches: int = 1
    checkpointing: bool = False

    def smaller(self, max_rows: int) -> "Fit":
        """Return what to try after memory ran out. max_rows: rows of the fullest batch. Raises UserError if nothing is left."""
        if self.micro_batches < max_rows:
            return replace(self, micro_batches=min(2 * self.micro_batches, max_rows))
        if not self.checkpointing:
            return replace(self, checkpointing=True)
        raise UserError(
            "there is too little memory for even one message; lower [train] max_length or choose a smaller [base] model"
        )


def fit(
    model: PeftModel, lengths: Sequence[int], tokens: int, world: int = 1, free: Callable[[], float] | None = None
) -> Fit:
    """Return the step that fits into memory: at most `tokens` a step, in as few micro-batches as possible, without
    checkpointing if possible. free: free bytes; the device's by default."""
    available = USED * (free() if free else free_bytes(model.device)) - 3 * 4 * CHUNK - autocast_bytes(model)
    longest = max(lengths, default=1)
    rows = max(1, tokens // world // max(1, longest))
    for checkpointing in (False, True):
        bytes_a_token = activation_bytes(model, checkpointing=checkpointing)
        at_once = int(max(0.0, available) / bytes_a_token)
        if at_once >= longest:
            micro_batches = math.ceil(tokens / world / at_once)
            return Fit(tokens, max(1, min(micro_batches, rows)), checkpointing)
    return Fit(tokens, rows, True)  # the estimate may be wrong: try, and fail in a sentence


def free_bytes(device: torch.device) -> float:
    """Return the free memory of the device; on the CPU within the limit of the container."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":  # which shares the machine's memory, and takes a part of it at most
        left = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return min(float(left), float(psutil.virtual_memory().available))
    return min(float(psutil.virtual_memory().available), _cgroup_free())


def free_memory() -> None:
    """Give back what is no longer used: a Trainer's objects refer to each other, and allocators keep what was freed."""
    gc.collect()
    give_back()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _cgroup_free() -> float:
    """Return the bytes that a cgroup (version 2) leaves this process."""
    try:
        most = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return math.inf
    return math.inf if most == "max" else float(int(most) - used)


def weight_bytes(model: PeftModel) -> int:
    """Return the bytes of the weights, and of their copies during a step."""
    return autocast_bytes(model) + sum(int(weight.numel() * weight.element_size()) for weight in model.parameters())


def autocast_bytes(model: PeftModel) -> int:
    """Return the bytes of the copies in another format that autocast keeps of frozen weights during a step."""
    computing = numerics_of(model.device).autocast
    return sum(
        int(weight.numel() * computing.itemsize)
        for weight in model.parameters()
        if computing and not weight.requires_grad and weight.dtype == torch.float32 and weight.ndim > 1
    )


def activation_bytes(model: PeftModel, *, checkpointing: bool) -> float:
    """Return the bytes a token needs in a step: what forward saves for backward in the training's format, and what backward
    needs besides. With checkpointing, one layer's share comes on top of what is stored: it is recomputed."""
    plain = TRANSIENT * _bytes_per_token(model)
    if not checkpointing:
        return plain
    base = cast(PreTrainedModel, model.get_base_model())
    base.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    try:
        return TRANSIENT * _bytes_per_token(model) + plain / max(
            1, int(base.config.get_text_config().num_hidden_layers)
        )
    finally:
        base.activation_checkpointing_disable()


def _bytes_per_token(model: PeftModel) -> float:
    short, long = (_activation_bytes(model, length) for length in (SHORT, LONG))
    return max(1.0, (long - short) / (LONG - SHORT))


def _activation_bytes(model: PeftModel, length: int) -> int:
    """Return the bytes of the tensors that a row's forward saves for its backward, without weights."""
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, int] = {}

    def weigh(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    was_training = model.training
    model.train()
    ids = torch.zeros((1, length), dtype=torch.long, device=model.device)
    saved = torch.autograd.graph.saved_tensors_hooks(weigh, lambda tensor: cast(Any, tensor))
    with autocast(model.device), fused_lora(model), saved:
        loss = summed_loss(model, {"input_ids": ids, "labels": ids})
    del loss
    model.train(was_training)
    return sum(kept.values())
