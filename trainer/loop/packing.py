"""Rows of a batch side by side in one forward pass, without padding, each as if it were alone.

Only attention has to know where a row ends, and for short rows it is the least of the work: there, rows of like length are
padded to each other."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, cast

import torch
from peft import PeftModel
from torch.nn.functional import scaled_dot_product_attention, softmax
from transformers import AttentionInterface, PreTrainedModel

from engine.packed_forward import attention_of, why_not_packed
from trainer.loop import short_attention

ATTENTION = "alterego_side_by_side"  # its name among transformers' implementations
MAX_WASTED_PAIRS = 1 << 16  # pairs of tokens that may be attended to for nothing before a group of rows is closed


@dataclass(frozen=True, slots=True)
class PaddedGroup:
    """Neighbouring rows of like length, padded to each other for attention.

    first, end: the group's tokens in the batch. longest: length of its longest row. padded: [rows x longest] which of the
    group's tokens stands at each padded place. kept: [end - first] the padded place of each token."""

    first: int
    end: int
    longest: int
    padded: torch.Tensor
    kept: torch.Tensor


def side_by_side(model: PreTrainedModel | PeftModel) -> AbstractContextManager[None]:
    """Within the block, forward and backward passes of the model take packed batches."""
    AttentionInterface.register(ATTENTION, attend_packed)
    return attention_of(model, ATTENTION)


def packing_inputs(lengths: torch.Tensor) -> dict[str, Any]:
    """Return what the model needs, besides the ids, for rows of these lengths, longest first."""
    counts, device = lengths.tolist(), lengths.device
    places = torch.cat([torch.arange(count) for count in counts])
    return {"position_ids": places[None].to(device), "rows": padded_groups(counts, device)}


def can_pack(model: PreTrainedModel | PeftModel) -> bool:
    """Return whether rows side by side get from this model what each gets alone, as tried on two short ones."""
    was_training = model.training
    model.eval()

    def run(prompts: Sequence[Sequence[int]]) -> Sequence[torch.Tensor]:
        ids = torch.tensor([[token for prompt in prompts for token in prompt]], device=model.device)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=model.device)
        with side_by_side(model):
            logits = model(input_ids=ids, use_cache=False, **packing_inputs(lengths)).logits[0]
        return torch.split(logits, lengths.tolist())

    try:
        return not why_not_packed(model, run)
    finally:
        model.train(was_training)


def padded_groups(lengths: Sequence[int], device: torch.device) -> list[PaddedGroup]:
    """Return the groups in which rows of these lengths, longest first, attend."""
    ends = [0, *accumulate(lengths)]
    return [_padded_group(lengths[a:b], ends[a], device) for a, b in _group_bounds(lengths)]


def _group_bounds(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where groups start and end: padding may double the work of attention, or cost little."""
    start, needed = 0, 0
    for end, length in enumerate(lengths):
        needed += length**2
        if (end + 1 - start) * lengths[start] ** 2 > max(2 * needed, MAX_WASTED_PAIRS):
            yield start, end
            start, needed = end, length**2
    if lengths:
        yield start, len(lengths)


def _padded_group(lengths: Sequence[int], first: int, device: torch.device) -> PaddedGroup:
    counts = torch.tensor(lengths)
    places = torch.arange(lengths[0])
    valid = places < counts[:, None]
    padded = torch.where(valid, (counts.cumsum(0) - counts)[:, None] + places, 0).flatten()
    kept = valid.flatten().nonzero()[:, 0]
    return PaddedGroup(first, first + len(kept), lengths[0], padded.to(device), kept.to(device))


def attend_packed(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    rows: Sequence[PaddedGroup],
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each row, as transformers calls an attention implementation.

    query, key, value: [1, heads, tokens, size]; returns [1, tokens, heads,
    size]. rows: as `packing_inputs` made them."""
    outputs: list[torch.Tensor] = []
    for group in rows:
        q, k, v = (_pad(tensor[0, :, group.first : group.end].transpose(0, 1), group) for tensor in (query, key, value))
        attended = _causal_attention(q, k, v, dropout, scaling, sliding_window, softcap)
        outputs.append(_unpad(attended, group))
    return torch.cat(outputs)[None], None


def _pad(tokens: torch.Tensor, group: PaddedGroup) -> torch.Tensor:
    """[tokens, heads, size] -> [rows, heads, longest, size]."""
    padded = cast(torch.Tensor, cast(Any, _PadRows).apply(tokens, group.padded, group.kept))
    return padded.view(-1, group.longest, *tokens.shape[1:]).transpose(1, 2)


def _unpad(attended: torch.Tensor, group: PaddedGroup) -> torch.Tensor:
    """Undo `_pad`: [rows, heads, longest, size] -> [tokens, heads, size]."""
    flat = attended.transpose(1, 2).flatten(0, 1)
    return cast(torch.Tensor, cast(Any, _UnpadRows).apply(flat, group.kept))


class _PadRows(torch.autograd.Function):
    """tokens[padded]. No gradient comes back from padding, so the backward pass is a selection, not a sum."""

    @staticmethod
    def forward(ctx: Any, tokens: torch.Tensor, padded: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        ctx.kept = kept
        return tokens.index_select(0, padded)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return grads[0].index_select(0, ctx.kept), None, None


class _UnpadRows(torch.autograd.Function):
    """flat[kept]."""

    @staticmethod
    def forward(ctx: Any, flat: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        ctx.shape, ctx.kept = flat.shape, kept
        return flat.index_select(0, kept)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        return grads[0].new_zeros(ctx.shape).index_copy_(0, ctx.kept, grads[0]), None


def _causal_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> torch.Tensor:
    """Causal attention [rows, heads, longest, size]. Padding stands to the right of what counts, so nothing sees it."""
    longest, shared = query.shape[2], query.shape[1] != key.shape[1]
    is_cut = window is not None and window < longest
    if softcap is None and not is_cut:
        if (
            longest <= short_attention.LONGEST
            and not dropout
            and query.device.type == "cpu"
            and torch.is_grad_enabled()
        ):
            return short_attention.attend_short(query, key, value, scaling)
        return scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=shared
        )
    square = torch.ones(longest, longest, dtype=torch.bool, device=query.device)
    mask = square.tril() if window is None else square.tril() & square.triu(1 - window)
    if softcap is None:
        return scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout, scale=scaling, enable_gqa=shared
        )
    key, value = (tensor.repeat_interleave(query.shape[1] // key.shape[1], dim=1) for tensor in (key, value))
    scores = query @ key.transpose(2, 3) * (query.shape[3] ** -0.5 if scaling is None else scaling)
    scores = (softcap * torch.tanh(scores / softcap)).masked_fill(~mask, -torch.inf)
    weights = softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return torch.nn.functional.dropout(weights, dropout) @ value
