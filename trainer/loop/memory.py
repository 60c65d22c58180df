"""How much of a batch fits into memory at once: measured on the model itself, on any device."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import psutil
import torch
from peft import PeftModel
from transformers import PreTrainedModel

from persona.errors import UserError
from trainer.loop.loss import CHUNK, summed_loss

USED = 0.7  # of free memory; the rest is for what allocators and other programs take
SHORT, LONG = 32, 96  # tokens of the two rows whose saved tensors are weighed
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Fit:
    """How a step is run. tokens: of one optimizer step, over all processes, with their padding if there is any. parts:
    forwards it is dealt out to, here. checkpointing: layers are run again in the backward pass, not remembered."""

    tokens: int
    parts: int = 1
    checkpointing: bool = False

    def smaller(self, most_rows: int) -> "Fit":
        """What to try after memory ran out. most_rows: rows of the fullest batch. Raises UserError where nothing is left."""
        if self.parts < most_rows:
            return replace(self, parts=min(2 * self.parts, most_rows))
        if not self.checkpointing:
            return replace(self, checkpointing=True)
        raise UserError(
            "there is too little memory for even one message; lower [train] max_length or choose a smaller [base] model"
        )


def fit(
    model: PeftModel, lengths: Sequence[int], tokens: int, world: int = 1, free: Callable[[], float] | None = None
) -> Fit:
    """The step that fits: at most `tokens` a step, in as few forwards as memory allows, layers remembered if they can be.
    free: bytes at hand; asked of the device where nobody says."""
    room = USED * (free() if free else free_bytes(model.device)) - 3 * 4 * CHUNK
    longest = max(lengths, default=1)
    rows = max(1, tokens // world // max(1, longest))
    for checkpointing in (False, True):
        bytes_a_token = saved_bytes(model, checkpointing=checkpointing)
        at_once = int(max(0.0, room) / bytes_a_token)
        if at_once >= longest:
            parts = math.ceil(tokens / world / at_once)
            return Fit(tokens, max(1, min(parts, rows)), checkpointing)
    return Fit(tokens, rows, True)  # the estimate may be wrong: try, and fail in a sentence


def free_bytes(device: torch.device) -> float:
    """Memory that is free on the device; on the CPU within the limit of the container."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return min(float(psutil.virtual_memory().available), _container_room())


def _container_room() -> float:
    """What a cgroup (version 2) leaves this process."""
    try:
        most = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return math.inf
    return math.inf if most == "max" else float(int(most) - used)


def saved_bytes(model: PeftModel, *, checkpointing: bool) -> float:
    """Bytes that a token of a row costs between forward and backward. With checkpointing, one layer's share comes on top
    of what is kept: its forward is run again."""
    plain = _weighed(model)
    if not checkpointing:
        return plain
    base = cast(PreTrainedModel, model.get_base_model())
    base.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    try:
        return _weighed(model) + plain / max(1, int(base.config.num_hidden_layers))
    finally:
        base.activation_checkpointing_disable()


def _weighed(model: PeftModel) -> float:
    short, long = (_saved(model, length) for length in (SHORT, LONG))
    return max(1.0, (long - short) / (LONG - SHORT))


def _saved(model: PeftModel, length: int) -> int:
    """Bytes of the tensors that a row's forward keeps for its backward, weights apart."""
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
    with torch.autograd.graph.saved_tensors_hooks(weigh, lambda tensor: cast(Any, tensor)):
        loss = summed_loss(model, {"input_ids": ids, "labels": ids})
    del loss
    model.train(was_training)
    return sum(kept.values())
