"""Causal attention over short rows, for training on CPUs: torch's own takes several times as long backwards."""

from typing import Any, cast

import torch

from trainer.loop.fused_lora import computed_in

LONGEST = 192  # tokens of a row; on longer ones torch's own is as fast and keeps less


def attend_short(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None) -> torch.Tensor:
    """Return causal attention. query: [rows, heads, tokens, size]; key, value: as many heads or fewer, each for several."""
    dtype = computed_in(query)
    scale = query.shape[3] ** -0.5 if scaling is None else scaling
    attended = cast(Any, _ShortAttention).apply(*(tensor.to(dtype) for tensor in (query, key, value)), scale)
    return cast(torch.Tensor, attended)


class _ShortAttention(torch.autograd.Function):
    """Keeps the attention weights for backward. The heads that share a key lie below each other: one product for all."""

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float) -> torch.Tensor:
        rows, heads, tokens, size = query.shape
        queries = query.reshape(rows * key.shape[1], -1, size)
        keys, values = key.reshape(-1, tokens, size), value.reshape(-1, tokens, value.shape[3])
        scores = torch.bmm(queries, keys.transpose(1, 2)).view(rows, heads, tokens, tokens).float()
        future = torch.full((tokens, tokens), -torch.inf).triu(1)
        weights = torch.softmax(scores.mul_(scale).add_(future), dim=-1).to(query.dtype)
        ctx.save_for_backward(queries, keys, values, weights)
        ctx.scale = scale
        return torch.bmm(weights.view(len(queries), -1, tokens), values).view(rows, heads, tokens, -1)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        queries, keys, values, weights = ctx.saved_tensors
        rows, heads, tokens = weights.shape[:3]
        grad = grads[0].reshape(len(queries), -1, values.shape[2])
        flat = weights.view(len(queries), -1, tokens)
        to_values = torch.bmm(flat.transpose(1, 2), grad)
        to_weights = torch.bmm(grad, values.transpose(1, 2)).float()
        to_scores = torch._softmax_backward_data(to_weights, flat.float(), -1, torch.float32)
        to_scores = to_scores.mul_(ctx.scale).to(queries.dtype)
        to_queries, to_keys = torch.bmm(to_scores, keys), torch.bmm(to_scores.transpose(1, 2), queries)
        return (
            to_queries.view(rows, heads, tokens, -1),
            to_keys.view(rows, -1, tokens, keys.shape[2]),
            to_values.view(rows, -1, tokens, values.shape[2]),
            None,
        )
