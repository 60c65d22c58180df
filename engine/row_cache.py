"""Transformers' own caches, a row or many: put together, taken apart, copied and cut.

A cache has a layer for each of the model's: keys and values [rows, heads, tokens, size] that grow with the sequence, states along
it (convolutions, recurrence) [rows, ...] of one size, or both. Rows of one cache end at the same place: shorter ones are
padded on the left."""

import copy
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache

_KEYS_AND_VALUES = ("keys", "values")
_STATES = ("conv_states", "recurrent_states")


def joined(rows: Sequence[DynamicCache]) -> DynamicCache:
    """Return one cache of these rows, each a cache of one, in a copy."""

    def join(*tensors: torch.Tensor) -> torch.Tensor:
        return torch.cat(tensors)

    def join_padded(*tensors: torch.Tensor) -> torch.Tensor:
        longest = max(tensor.shape[-2] for tensor in tensors)
        return torch.cat([pad(tensor, (0, 0, longest - tensor.shape[-2], 0)) for tensor in tensors])

    longest = max(rows, key=length)
    return _mapped(longest, join_padded, join, [row.layers for row in rows])


def parted(cache: DynamicCache, lengths: Sequence[int]) -> list[DynamicCache]:
    """Return each row as a cache of its own, in a copy and without its padding. lengths: of the rows, in tokens."""
    return [_row(cache, row, max(lengths) - tokens) for row, tokens in enumerate(lengths)]


def _row(cache: DynamicCache, row: int, padding: int) -> DynamicCache:
    def state(tensor: torch.Tensor) -> torch.Tensor:
        return tensor[row : row + 1].clone()

    alone = _mapped(cache, state, state, [cache.layers])
    for layer in _growing(alone):
        before = layer.get_seq_length()
        # a window may have let some of the padding go
        beyond = max(padding - (before - layer.keys.shape[-2]), 0)
        layer.keys, layer.values = layer.keys[..., beyond:, :], layer.values[..., beyond:, :]
        if layer.is_sliding:
            layer.cumulative_length = before - padding
    return alone


def copied(cache: DynamicCache, tokens: int) -> DynamicCache:
    """Return a copy of the first `tokens` tokens of a row; fewer than it has only where it can be cut."""

    def whole(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.clone()

    def cut(tensor: torch.Tensor) -> torch.Tensor:
        return tensor[..., : tensor.shape[-2] - beyond, :].clone()

    beyond = max(length(cache) - tokens, 0) if is_cuttable(cache) else 0
    copy_ = _mapped(cache, cut, whole, [cache.layers])
    for layer in _growing(copy_):
        if layer.is_sliding:
            layer.cumulative_length -= beyond
    return copy_


def length(cache: DynamicCache) -> int:
    """Return how many tokens the longest row of keys and values has; 0 for a cache of states alone."""
    return max((layer.get_seq_length() for layer in _growing(cache)), default=0)


def is_cuttable(cache: DynamicCache) -> bool:
    """Return whether a row can be cut to any of its tokens: no states, and no window that has let some go."""
    is_whole = all(layer.keys.shape[-2] == layer.get_seq_length() for layer in _growing(cache))
    return is_whole and not states_of(cache)


def bytes_of(cache: DynamicCache) -> int:
    """Return how many bytes its tensors take."""
    tensors = chain(states_of(cache), *((layer.keys, layer.values) for layer in _growing(cache)))
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def states_of(cache: DynamicCache) -> list[torch.Tensor]:
    """Return the states along the sequence, layer by layer."""
    tensors = (getattr(layer, name, {}).values() for layer in cache.layers for name in _STATES)
    return [tensor for tensor in chain.from_iterable(tensors) if tensor is not None]


def _mapped(
    model: DynamicCache,
    growing: Callable[..., torch.Tensor],
    state: Callable[..., torch.Tensor],
    many: Sequence[Sequence[Any]],
) -> DynamicCache:
    """Return a cache like `model` whose tensors are made of those that stand in the same place of many lists of layers."""
    cache = copy.copy(model)
    cache.layers = [copy.copy(layer) for layer in model.layers]
    for layer, *sources in zip(cache.layers, *many, strict=True):
        if getattr(layer, "keys", None) is not None:
            for name in _KEYS_AND_VALUES:
                setattr(layer, name, growing(*(getattr(source, name) for source in sources)))
        for name in _STATES:
            if states := getattr(layer, name, None):
                setattr(
                    layer,
                    name,
                    {
                        number: None
                        if tensor is None
                        else state(*(getattr(source, name)[number] for source in sources))
                        for number, tensor in states.items()
                    },
                )
    return cache


def _growing(cache: DynamicCache) -> list[Any]:
    """Return the layers that have keys and values."""
    return [layer for layer in cache.layers if getattr(layer, "keys", None) is not None]
