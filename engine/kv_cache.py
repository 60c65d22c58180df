"""Keys and values of the running sequences, a row each, and attention over them. Knows tensors, not requests.

All tokens of a step go through the model side by side in one packed row, without padding: the next token of every
decoding sequence, and chunks of the prompts still being read (prefill). Attention keeps the sequences apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn.functional import scaled_dot_product_attention

_GRAIN = 64  # tokens by which rows grow


@dataclass(frozen=True, slots=True)
class KVSlice:
    """Keys and values [heads, tokens, size] of each layer, for the first tokens of a row."""

    layers: dict[int, tuple[torch.Tensor, torch.Tensor]]

    @property
    def bytes(self) -> int:
        """Bytes its tensors take."""
        return sum(tensor.numel() * tensor.element_size() for pair in self.layers.values() for tensor in pair)

    def usable(self, tokens: int) -> int:
        """Return `tokens`: they can be cut anywhere."""
        return tokens


@dataclass(frozen=True, slots=True)
class PrefillChunk:
    """Consecutive prompt tokens of one sequence in this step. start: how many of its tokens are cached already."""

    row: int
    start: int
    count: int

    @property
    def end(self) -> int:
        """How many tokens are cached after it."""
        return self.start + self.count


@dataclass(slots=True)
class StepBatch:
    """The tokens of one step: decode rows 0, 1, … bring one token each and come first, prefill chunks follow.

    past: cached tokens of each decode row. Masks are made once a step, not once a layer."""

    cache: "KVCache"
    past: Sequence[int]
    prefills: Sequence[PrefillChunk]
    device: torch.device
    _masks: dict[tuple[int, int | None], torch.Tensor] = field(default_factory=dict)
    _positions: torch.Tensor | None = None

    @property
    def positions(self) -> torch.Tensor:
        """The position of each decode row's new token, [decode rows]."""
        if self._positions is None:
            self._positions = torch.tensor(self.past, device=self.device)
        return self._positions

    @property
    def longest(self) -> int:
        """Tokens of the longest decode row, its new one included."""
        return max(self.past) + 1

    def decode_mask(self, window: int | None) -> torch.Tensor:
        """Return what each decode token may attend to: bool [decode rows, 1, 1, longest]."""
        if (mask := self._masks.get((-1, window))) is None:
            columns, last = torch.arange(self.longest, device=self.device), self.positions[:, None]
            mask = _visible(columns, last, window)[:, None, None]
            self._masks[-1, window] = mask
        return mask

    def prefill_mask(self, number: int, window: int | None) -> torch.Tensor:
        """Return what each token of a prefill chunk may attend to: bool [count, end]."""
        if (mask := self._masks.get((number, window))) is None:
            chunk = self.prefills[number]
            columns = torch.arange(chunk.end, device=self.device)
            mask = self._masks[number, window] = _visible(columns, columns[chunk.start :, None], window)
        return mask


def _visible(columns: torch.Tensor, last: torch.Tensor, window: int | None) -> torch.Tensor:
    seen = columns <= last
    return seen if window is None else seen & (columns > last - window)


class KVCache:
    """Keys and values [rows, heads, tokens, size] of every layer, allocated on a layer's first write, grown when needed."""

    def __init__(self) -> None:
        self._slabs: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._rows = self._tokens = 0

    def reserve(self, rows: int, tokens: int) -> None:
        """Make room for `rows` rows of `tokens` tokens, from the next write on."""
        self._rows = max(self._rows, 1 << (rows - 1).bit_length())
        if tokens > self._tokens:
            self._tokens = -(-max(tokens, self._tokens + self._tokens // 4) // _GRAIN) * _GRAIN

    def clear(self) -> None:
        """Free all memory."""
        self._slabs.clear()
        self._rows = self._tokens = 0

    def write(
        self, layer: int, keys: torch.Tensor, values: torch.Tensor, step_batch: StepBatch
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write this step's keys and values [heads, packed tokens, size] into their rows; return the layer's slabs."""
        slabs = self._slabs_for(layer, keys, values)
        decode_rows = len(step_batch.past)
        for slab, new in zip(slabs, (keys, values), strict=True):
            if decode_rows:
                rows = torch.arange(decode_rows, device=slab.device)
                slab[rows, :, step_batch.positions] = new[:, :decode_rows].transpose(0, 1)
            at = decode_rows
            for chunk in step_batch.prefills:
                slab[chunk.row, :, chunk.start : chunk.end] = new[:, at : at + chunk.count]
                at += chunk.count
        return slabs

    def move(self, source: int, target: int) -> None:
        """Copy row `source` over row `target`."""
        for slabs in self._slabs.values():
            for slab in slabs:
                slab[target] = slab[source]

    def export(self, row: int, tokens: int) -> KVSlice:
        """Return a copy of a row's first tokens."""
        return KVSlice(
            {
                layer: (keys[row, :, :tokens].clone(), values[row, :, :tokens].clone())
                for layer, (keys, values) in self._slabs.items()
            }
        )

    def load(self, row: int, kv: KVSlice, tokens: int) -> None:
        """Fill the start of a row from a copy."""
        for layer, pair in kv.layers.items():
            for slab, tensor in zip(self._slabs_for(layer, *pair), pair, strict=True):
                slab[row, :, :tokens] = tensor[:, :tokens]

    def _slabs_for(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        old = self._slabs.get(layer)
        if old is None or old[0].shape[0] < self._rows or old[0].shape[2] < self._tokens:
            # zeros, not what lay there: a masked place still takes part as 0 times its value, and 0 times nan is nan
            key, value = (new.new_zeros(self._rows, new.shape[0], self._tokens, new.shape[2]) for new in (keys, values))
            for slab, before in zip((key, value), old or (), strict=False):
                slab[: before.shape[0], :, : before.shape[2]] = before
            self._slabs[layer] = key, value
        return self._slabs[layer]


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    step_batch: StepBatch,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Attend over packed tokens, as transformers calls an attention implementation.

    query [1, heads, tokens, size], key and value [1, key heads, tokens,
    size]; returns [1, tokens, heads, size]. Raises NotImplementedError for what it lacks."""
    if softcap is not None or s_aux is not None:
        raise NotImplementedError("attention with capped scores or sinks")
    keys, values = step_batch.cache.write(int(module.layer_idx), key[0], value[0], step_batch)  # type: ignore[arg-type]
    heads, tokens = query.shape[1:3]
    out = query.new_empty(tokens, heads, values.shape[-1])
    at = len(step_batch.past)
    if at:
        out[:at] = _attend_decode(query[0, :, :at], keys, values, step_batch, scaling, sliding_window)
    for number, chunk in enumerate(step_batch.prefills):
        attended = scaled_dot_product_attention(
            query[:, :, at : at + chunk.count],
            keys[chunk.row, None, :, : chunk.end],
            values[chunk.row, None, :, : chunk.end],
            attn_mask=step_batch.prefill_mask(number, sliding_window),
            scale=scaling,
            enable_gqa=True,
        )
        out[at : at + chunk.count] = attended[0].transpose(0, 1)
        at += chunk.count
    return out[None], None


def _attend_decode(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    step_batch: StepBatch,
    scaling: float | None,
    window: int | None,
) -> torch.Tensor:
    """Attend for all decode rows at once: query [heads, rows, size] to [rows, heads, size].

    Query heads that share a key head are laid out as tokens, so that no key is copied for them."""
    heads, rows, size = query.shape
    shared = query.transpose(0, 1).reshape(rows, keys.shape[1], heads // keys.shape[1], size)
    attended = scaled_dot_product_attention(
        shared,
        keys[:rows, :, : step_batch.longest],
        values[:rows, :, : step_batch.longest],
        attn_mask=step_batch.decode_mask(window),
        scale=scaling,
    )
    return attended.reshape(rows, heads, -1)
