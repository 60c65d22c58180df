"""A linear layer with its LoRA as one operation, for training on CPUs.

PEFT's layer is a dozen operations, each of which reads and writes all activations; on a CPU that takes longer than the
products. The dropout takes an eighth of the random numbers: torch draws 64 bits an element, in one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import torch
from peft.tuners.lora.layer import Linear as LoraLinear

LEVELS = 256  # a dropout is rounded to so many steps: one random byte decides an element


@contextmanager
def fused_lora(model: torch.nn.Module) -> Iterator[None]:
    """Within the block, LoRA's linear layers of a model on a CPU train as one operation each; others as they do."""
    layers = [layer for layer in model.modules() if isinstance(layer, LoraLinear) and _can_fuse(layer)]
    for layer in layers:
        layer.forward = partial(_forward, layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _can_fuse(layer: LoraLinear) -> bool:
    """Return whether a layer is an ordinary one: a frozen linear layer under one plain LoRA, on a CPU."""
    base = layer.get_base_layer()
    names = layer.active_adapters
    if type(layer) is not LoraLinear or type(base) is not torch.nn.Linear or base.weight.device.type != "cpu":
        return False
    if layer.merged or layer.disable_adapters or layer.fan_in_fan_out or len(names) != 1 or layer.lora_variant:
        return False
    is_plain = names[0] in layer.lora_A and layer.lora_B[names[0]].bias is None
    return is_plain and not any(weight.requires_grad for weight in base.parameters())


def _forward(layer: LoraLinear, x: torch.Tensor) -> torch.Tensor:
    name, base = layer.active_adapters[0], cast(torch.nn.Linear, layer.get_base_layer())
    dropout = getattr(layer.lora_dropout[name], "p", 0.0) if layer.training else 0.0
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    out = cast(Any, _FusedLora).apply(x, base.weight, base.bias, a, b, layer.scaling[name], dropout)
    # viewed out here: what a function returns as a view can't be changed in place, as Gemma 3n does
    return cast(torch.Tensor, out.view(*x.shape[:-1], -1))


def computed_in(x: torch.Tensor) -> torch.dtype:
    """Return what products on `x` are computed in: autocast's format, or its own."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


class _FusedLora(torch.autograd.Function):
    """x W' + bias + scaling * dropout(x) A' B', with x [..., in], W [out, in], A [rank, in], B [out, rank];
    returns [rows, out]."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        a: torch.Tensor,
        b: torch.Tensor,
        scaling: float,
        dropout: float,
    ) -> torch.Tensor:
        dtype = computed_in(x)
        rows, weight = x.reshape(-1, x.shape[-1]).to(dtype), weight.to(dtype)
        dropped = min(round(dropout * LEVELS), LEVELS - 1)  # something stays, as with any dropout below 1
        kept = _random_bytes(rows) >= dropped if dropped else None
        a_scaled, b_scaled = a.to(dtype) * (LEVELS / (LEVELS - dropped)), b.to(dtype) * scaling
        inner = _masked(rows, kept) @ a_scaled.T
        out = rows @ weight.T if bias is None else torch.addmm(bias.to(dtype), rows, weight.T)
        out.addmm_(inner, b_scaled.T)
        ctx.save_for_backward(rows, weight, a_scaled, b_scaled, inner, kept)
        ctx.shape, ctx.dtype, ctx.scaling, ctx.dropped = x.shape, x.dtype, scaling, dropped
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, weight, a_scaled, b_scaled, inner, kept = ctx.saved_tensors
        grad = grads[0].reshape(-1, weight.shape[0]).to(rows.dtype)
        to_inner = grad @ b_scaled
        to_a = (to_inner.T @ _masked(rows, kept)).float() * (LEVELS / (LEVELS - ctx.dropped))
        to_b = (grad.T @ inner).float() * ctx.scaling
        to_x = None
        if ctx.needs_input_grad[0]:
            through_a = to_inner @ a_scaled
            to_x = (grad @ weight).add_(_masked(through_a, kept)).view(ctx.shape).to(ctx.dtype)
        return to_x, None, None, to_a, to_b, None, None


def _random_bytes(like: torch.Tensor) -> torch.Tensor:
    """Return a random byte for every element, eight of a number."""
    count = like.numel()
    numbers = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), 2**63 - 1)
    return numbers.view(torch.uint8)[:count].view(like.shape)


def _masked(x: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
    return x if kept is None else x * kept
