"""Keys and values of the running sequences, a row each, and attention over them. Knows tensors, not requests.

All tokens of a step go through the model side by side in one packed row, without padding: the next token of every
sequence that speaks, and stretches of the prompts of those that only begin. What belongs together is told apart here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn.functional import scaled_dot_product_attention

_GRAIN = 64  # tokens by which rows grow

Kept = dict[int, tuple[torch.Tensor, torch.Tensor]]  # keys and values [heads, tokens, size] of each layer


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens of one sequence in this step. start: how many of its tokens are known already."""

    row: int
    start: int
    count: int

    @property
    def end(self) -> int:
        """How many are known after it."""
        return self.start + self.count


@dataclass(slots=True)
class Pack:
    """A step's tokens. speaking: the rows 0, 1, … which bring one token each; they come first. stretches: the others.
    Masks are made once a step, not once a layer. past: how many tokens of each speaking row are known."""

    rows: "Rows"
    past: Sequence[int]
    stretches: Sequence[Stretch]
    device: torch.device
    _masks: dict[tuple[int, int | None], torch.Tensor] = field(default_factory=dict)
    _places: torch.Tensor | None = None

    @property
    def places(self) -> torch.Tensor:
        """Where in its row each speaking token goes, [speaking]."""
        if self._places is None:
            self._places = torch.tensor(self.past, device=self.device)
        return self._places

    @property
    def longest(self) -> int:
        """Tokens of the longest speaking row, with its new one."""
        return max(self.past) + 1

    def speaking_mask(self, window: int | None) -> torch.Tensor:
        """What each speaking token may look at: bool [speaking, 1, 1, longest]."""
        if (mask := self._masks.get((-1, window))) is None:
            columns, last = torch.arange(self.longest, device=self.device), self.places[:, None]
            mask = _visible(columns, last, window)[:, None, None]
            self._masks[-1, window] = mask
        return mask

    def stretch_mask(self, number: int, window: int | None) -> torch.Tensor:
        """What each token of a stretch may look at: bool [count, end]."""
        if (mask := self._masks.get((number, window))) is None:
            one = self.stretches[number]
            columns = torch.arange(one.end, device=self.device)
            mask = self._masks[number, window] = _visible(columns, columns[one.start :, None], window)
        return mask


def _visible(columns: torch.Tensor, last: torch.Tensor, window: int | None) -> torch.Tensor:
    seen = columns <= last
    return seen if window is None else seen & (columns > last - window)


class Rows:
    """The slabs [rows, heads, tokens, size] of every layer, made when a layer first writes and grown when needed."""

    def __init__(self) -> None:
        self._slabs: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._rows = self._tokens = 0

    def reserve(self, rows: int, tokens: int) -> None:
        """Room for so many rows of so many tokens, from the next write on."""
        self._rows = max(self._rows, 1 << (rows - 1).bit_length())
        if tokens > self._tokens:
            self._tokens = -(-max(tokens, self._tokens + self._tokens // 4) // _GRAIN) * _GRAIN

    def clear(self) -> None:
        """Give all memory back."""
        self._slabs.clear()
        self._rows = self._tokens = 0

    def write(
        self, layer: int, keys: torch.Tensor, values: torch.Tensor, pack: Pack
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put this step's keys and values [heads, packed tokens, size] into their rows. Returns the layer's slabs."""
        slabs = self._roomy(layer, keys, values)
        speaking = len(pack.past)
        for slab, new in zip(slabs, (keys, values), strict=True):
            if speaking:
                rows = torch.arange(speaking, device=slab.device)
                slab[rows, :, pack.places] = new[:, :speaking].transpose(0, 1)
            at = speaking
            for one in pack.stretches:
                slab[one.row, :, one.start : one.end] = new[:, at : at + one.count]
                at += one.count
        return slabs

    def move(self, source: int, target: int) -> None:
        """Let the row `target` be what `source` is."""
        for slabs in self._slabs.values():
            for slab in slabs:
                slab[target] = slab[source]

    def taken(self, row: int, tokens: int) -> Kept:
        """A copy of a row's first tokens."""
        return {
            layer: (keys[row, :, :tokens].clone(), values[row, :, :tokens].clone())
            for layer, (keys, values) in self._slabs.items()
        }

    def put(self, row: int, kept: Kept, tokens: int) -> None:
        """Begin a row with the first tokens of a copy."""
        for layer, pair in kept.items():
            for slab, part in zip(self._roomy(layer, *pair), pair, strict=True):
                slab[row, :, :tokens] = part[:, :tokens]

    def _roomy(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
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
    pack: Pack,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """transformers' attention for packed tokens. query [1, heads, tokens, size], key and value [1, key heads, tokens,
    size]; returns [1, tokens, heads, size]. Raises NotImplementedError for what it lacks."""
    if softcap is not None or s_aux is not None:
        raise NotImplementedError("attention with capped scores or sinks")
    keys, values = pack.rows.write(int(module.layer_idx), key[0], value[0], pack)  # type: ignore[arg-type]
    heads, tokens = query.shape[1:3]
    out = query.new_empty(tokens, heads, values.shape[-1])
    at = len(pack.past)
    if at:
        out[:at] = _speaking(query[0, :, :at], keys, values, pack, scaling, sliding_window)
    for number, one in enumerate(pack.stretches):
        found = scaled_dot_product_attention(
            query[:, :, at : at + one.count],
            keys[one.row, None, :, : one.end],
            values[one.row, None, :, : one.end],
            attn_mask=pack.stretch_mask(number, sliding_window),
            scale=scaling,
            enable_gqa=True,
        )
        out[at : at + one.count] = found[0].transpose(0, 1)
        at += one.count
    return out[None], None


def _speaking(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, pack: Pack, scaling: float | None, window: int | None
) -> torch.Tensor:
    """One token of each speaking row at once: query [heads, rows, size] to [rows, heads, size]. Query heads that share a
    key head stand as if they were tokens, so that no key is copied for them."""
    heads, rows, size = query.shape
    shared = query.transpose(0, 1).reshape(rows, keys.shape[1], heads // keys.shape[1], size)
    found = scaled_dot_product_attention(
        shared,
        keys[:rows, :, : pack.longest],
        values[:rows, :, : pack.longest],
        attn_mask=pack.speaking_mask(window),
        scale=scaling,
    )
    return found.reshape(rows, heads, -1)
