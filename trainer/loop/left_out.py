"""Layers that get no LoRA: routers, whose layer gives more than a product, and those whose LoRA would learn nothing.

A LoRA that learns nothing is worse than none: where a kernel reads the weight past the layer, as in Mamba's mixers, merging it
would change what it never changed while it was trained. Others lie in towers that see no pictures, and in heads."""

import re
from collections.abc import Iterable
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from trainer.loop.loss import summed_loss

TOKENS = 16  # of the row that is tried


def unfit_layers(base: PreTrainedModel) -> str:
    """Return a pattern of the linear layers, of a kind of their own, that don't map rows to rows; "" if there are none."""
    return _alternatives(
        name
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear)
        and type(module).__module__.startswith("transformers.models.")
        and not _maps_rows(module)
    )


@torch.inference_mode()
def _maps_rows(layer: torch.nn.Linear) -> bool:
    try:
        out = layer(torch.zeros_like(layer.weight[:2]))
    except (RuntimeError, ValueError, TypeError, IndexError):
        return False
    return isinstance(out, torch.Tensor) and out.shape == (2, layer.out_features)


def silent_layers(model: PeftModel) -> str:
    """Return a pattern of the layers whose LoRA has no gradient in any block of the base; "" if there are none.

    In any: an expert that no token of the row went to learns as well as those that had some."""
    was_training = model.training
    ids = torch.arange(1, TOKENS + 1, device=model.device)[None]
    cards = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(cards), torch.enable_grad():  # dropout must not change what is drawn afterwards
        cast(Any, summed_loss(model.train(), {"input_ids": ids, "labels": ids})).backward()
    model.train(was_training)
    learning: dict[str, bool] = {}
    for name, weight in model.named_parameters():
        if ".lora_B." in name:
            layer = _pattern(name.split(".lora_B.")[0].removeprefix("base_model.model."))
            learning[layer] = learning.get(layer, False) or (weight.grad is not None and bool(weight.grad.any()))
    model.zero_grad()
    return "|".join(sorted(layer for layer, learns in learning.items() if not learns))


def _alternatives(layers: Iterable[str]) -> str:
    return "|".join(sorted({_pattern(layer) for layer in layers}))


def _pattern(layer: str) -> str:
    """Return a pattern of the layers that are called so in any block."""
    return re.sub(r"(?<=\\\.)\d+(?=\\\.|$)", r"\\d+", re.escape(layer))
