"""Rows of a batch side by side in one forward, without padding, each as if it were alone. Only attention has to know where
one ends, and for short rows it is the least of the work: there, rows of like length are padded to each other."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, cast

import torch
from peft import PeftModel
from torch.nn.functional import scaled_dot_product_attention, softmax
from transformers import AttentionInterface, PreTrainedModel

from engine.packing import attention_of

ATTENTION = "alterego_side_by_side"  # its name among transformers' implementations
SPARED = 1 << 16  # pairs of tokens that may be attended to for nothing before a group of rows is closed
_TOLERANCE = 0.05  # of the logits' length; bfloat16 rounds to 0.01, a row that sees its neighbour is off by about 1


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of like length that lie beside each other. first, end: where; longest: of them. padded: [rows x longest] which
    of the group's tokens stands where when each row is padded, kept: [end - first] where each token stands then."""

    first: int
    end: int
    longest: int
    padded: torch.Tensor
    kept: torch.Tensor


def side_by_side(model: PreTrainedModel | PeftModel) -> AbstractContextManager[None]:
    """While it lasts, forwards and backwards of the model are of batches that were packed."""
    AttentionInterface.register(ATTENTION, attend)
    return attention_of(model, ATTENTION)


def placed(lengths: torch.Tensor) -> dict[str, Any]:
    """What the model has to be told, besides the ids, about rows of these lengths, longest first."""
    counts, device = lengths.tolist(), lengths.device
    places = torch.cat([torch.arange(count) for count in counts])
    return {"position_ids": places[None].to(device), "rows": groups(counts, device)}


@torch.inference_mode()
def can_pack(model: PreTrainedModel | PeftModel) -> bool:
    """Whether rows beside each other get from this model what each gets alone: tried on two short ones."""
    prompts = [[1, 2, 3, 4, 5, 6, 7], [3, 1, 4, 1, 5]]
    was_training = model.training
    model.eval()
    try:
        alone = [model(input_ids=_ids(ids, model), use_cache=False).logits[0] for ids in prompts]
        lengths = torch.tensor([len(ids) for ids in prompts], device=model.device)
        with side_by_side(model):
            beside = model(
                input_ids=_ids([*prompts[0], *prompts[1]], model), use_cache=False, **placed(lengths)
            ).logits[0]
    except Exception:  # models refuse in many ways what they were not made for
        return False
    finally:
        model.train(was_training)
    expected = torch.cat(alone).float()
    return float((beside.float() - expected).norm() / expected.norm()) < _TOLERANCE


def _ids(ids: list[int], model: PreTrainedModel | PeftModel) -> torch.Tensor:
    return torch.tensor([ids], device=model.device)


def groups(lengths: Sequence[int], device: torch.device) -> list[Group]:
    """The groups in which rows of these lengths, longest first, attend."""
    ends = [0, *accumulate(lengths)]
    return [_group(lengths[a:b], ends[a], device) for a, b in _cuts(lengths)]


def _cuts(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From where to where rows are padded to the longest: while that costs at most as much again, or little."""
    start, needed = 0, 0
    for end, length in enumerate(lengths):
        needed += length**2
        if (end + 1 - start) * lengths[start] ** 2 > max(2 * needed, SPARED):
            yield start, end
            start, needed = end, length**2
    if lengths:
        yield start, len(lengths)


def _group(lengths: Sequence[int], first: int, device: torch.device) -> Group:
    counts = torch.tensor(lengths)
    places = torch.arange(lengths[0])
    valid = places < counts[:, None]
    padded = torch.where(valid, (counts.cumsum(0) - counts)[:, None] + places, 0).flatten()
    kept = valid.flatten().nonzero()[:, 0]
    return Group(first, first + len(kept), lengths[0], padded.to(device), kept.to(device))


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    rows: Sequence[Group],
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls for each layer. query, key, value: [1, heads, tokens, size]; returns [1, tokens, heads,
    size]. rows: as `placed` made them."""
    seen: list[torch.Tensor] = []
    for group in rows:
        q, k, v = (_spread(one[0, :, group.first : group.end].transpose(0, 1), group) for one in (query, key, value))
        attended = _attended(q, k, v, dropout, scaling, sliding_window, softcap)
        seen.append(_gathered(attended, group))
    return torch.cat(seen)[None], None


def _spread(tokens: torch.Tensor, group: Group) -> torch.Tensor:
    """[tokens, heads, size] -> [rows, heads, longest, size]."""
    padded = cast(torch.Tensor, cast(Any, _Chosen).apply(tokens, group.padded, group.kept))
    return padded.view(-1, group.longest, *tokens.shape[1:]).transpose(1, 2)


def _gathered(attended: torch.Tensor, group: Group) -> torch.Tensor:
    """The way back."""
    flat = attended.transpose(1, 2).flatten(0, 1)
    return cast(torch.Tensor, cast(Any, _Kept).apply(flat, group.kept))


class _Chosen(torch.autograd.Function):
    """tokens[padded]. Nothing comes back from padding, so the gradient is a choice too, not a sum."""

    @staticmethod
    def forward(ctx: Any, tokens: torch.Tensor, padded: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        ctx.kept = kept
        return tokens.index_select(0, padded)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return grads[0].index_select(0, ctx.kept), None, None


class _Kept(torch.autograd.Function):
    """flat[kept]."""

    @staticmethod
    def forward(ctx: Any, flat: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        ctx.shape, ctx.kept = flat.shape, kept
        return flat.index_select(0, kept)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        return grads[0].new_zeros(ctx.shape).index_copy_(0, ctx.kept, grads[0]), None


def _attended(
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
        return scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=shared
        )
    ones = torch.ones(longest, longest, dtype=torch.bool, device=query.device)
    mask = ones.tril() if window is None else ones.tril() & ones.triu(1 - window)
    if softcap is None:
        return scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout, scale=scaling, enable_gqa=shared
        )
    key, value = (one.repeat_interleave(query.shape[1] // key.shape[1], dim=1) for one in (key, value))
    scores = query @ key.transpose(2, 3) * (query.shape[3] ** -0.5 if scaling is None else scaling)
    scores = (softcap * torch.tanh(scores / softcap)).masked_fill(~mask, -torch.inf)
    weights = softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return torch.nn.functional.dropout(weights, dropout) @ value
