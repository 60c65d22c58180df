"""Forwards of a transformers model over parts of many sequences at once; and whether a model can be run that way."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

import torch
from peft import PeftModel
from transformers import AttentionInterface, DynamicCache, PreTrainedModel

from engine.kv_cache import Kept, Pack, Rows, Stretch, attention

log = logging.getLogger("alterego.engine")

Model: TypeAlias = PreTrainedModel | PeftModel

_OURS = "alterego_packed"  # our attention's name among transformers' implementations
_TOLERANCE = 0.05  # of the logits' length; bfloat16 rounds to 0.01, a wrong mask is off by about 1


@dataclass(frozen=True, slots=True)
class Part:
    """What one sequence brings into a forward: its row, and the ids from `start` on."""

    row: int
    ids: Sequence[int]
    start: int


class Forward(Protocol):
    """Runs parts of sequences through a model and keeps their keys and values, a row each."""

    def run(self, parts: Sequence[Part], speaking: int) -> torch.Tensor:
        """Logits [parts, vocabulary], float32, after the last id of each part. The first `speaking` parts bring one id
        each, for rows 0, 1, …"""

    def begin(self, row: int, kept: Kept, tokens: int) -> None:
        """Begin a row with what is known of its prompt: so many tokens of `kept`."""

    def leave(self, row: int, last: int) -> None:
        """Give a row up: `last` takes its place, and is no more where it was."""

    def taken(self, row: int, tokens: int) -> Kept:
        """A copy of what a row knows of its first tokens; empty where copies can't be had."""

    def clear(self) -> None:
        """Give all memory back."""


class PackedForward:
    """All parts in one forward, side by side, without padding."""

    def __init__(self, model: Model) -> None:
        AttentionInterface.register(_OURS, attention)
        self._model = model
        self._rows = Rows()

    def run(self, parts: Sequence[Part], speaking: int) -> torch.Tensor:
        """One forward of sum(len(part.ids)) tokens."""
        device = self._model.device
        self._rows.reserve(1 + max(part.row for part in parts), max(part.start + len(part.ids) for part in parts))
        stretches = [Stretch(part.row, part.start, len(part.ids)) for part in parts[speaking:]]
        ids = [token for part in parts for token in part.ids]
        positions = [part.start + k for part in parts for k in range(len(part.ids))]
        ends = torch.tensor([len(part.ids) for part in parts], device=device).cumsum(0) - 1
        with attention_of(self._model, _OURS):
            output = self._model(
                input_ids=torch.tensor([ids], device=device),
                position_ids=torch.tensor([positions], device=device),
                use_cache=False,
                logits_to_keep=ends,
                pack=Pack(self._rows, [part.start for part in parts[:speaking]], stretches, device),
            )
        return cast(torch.Tensor, output.logits)[0].float()

    def begin(self, row: int, kept: Kept, tokens: int) -> None:
        """Copy them in."""
        if tokens:
            self._rows.reserve(row + 1, tokens)
            self._rows.put(row, kept, tokens)

    def leave(self, row: int, last: int) -> None:
        """Copy `last` over it."""
        if row != last:
            self._rows.move(last, row)

    def taken(self, row: int, tokens: int) -> Kept:
        """Copy them out."""
        return self._rows.taken(row, tokens)

    def clear(self) -> None:
        """Give all memory back."""
        self._rows.clear()


class SingleForward:
    """One forward a part, with transformers' own cache: for models whose attention can't be packed."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._caches: dict[int, DynamicCache] = {}

    def run(self, parts: Sequence[Part], speaking: int) -> torch.Tensor:
        """As many forwards as parts."""
        return torch.stack([self._run(part) for part in parts])

    def begin(self, row: int, kept: Kept, tokens: int) -> None:
        """Begin with nothing: nothing was kept."""
        self._caches[row] = DynamicCache(config=self._model.config)

    def leave(self, row: int, last: int) -> None:
        """Hand the cache of `last` over."""
        cache = self._caches.pop(last)
        if row != last:
            self._caches[row] = cache

    def taken(self, row: int, tokens: int) -> Kept:
        """Nothing: these caches can't all be cut."""
        return {}

    def clear(self) -> None:
        """Give all memory back."""
        self._caches.clear()

    def _run(self, part: Part) -> torch.Tensor:
        ids = torch.tensor([list(part.ids)], device=self._model.device)
        cache = self._caches[part.row]
        output = self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return cast(torch.Tensor, output.logits)[0, -1].float()


def forward_of(model: Model) -> Forward:
    """The fastest forward that gives this model's own logits."""
    reason = why_not_packed(model)
    if not reason:
        return PackedForward(model)
    log.warning("requests are not batched: this base's attention can't be packed (%s)", reason)
    return SingleForward(model)


@torch.inference_mode()
def why_not_packed(model: Model) -> str:
    """What stands against it, tried on two short prompts beside each other; empty where nothing does."""
    prompts = [[1, 2, 3, 4, 5, 6, 7], [3, 1, 4, 1, 5]]
    alone = torch.stack([model(input_ids=torch.tensor([ids], device=model.device)).logits[0, -1] for ids in prompts])
    packed = PackedForward(model)
    try:
        packed.run([Part(row, ids[:-1], 0) for row, ids in enumerate(prompts)], speaking=0)
        beside = packed.run([Part(row, ids[-1:], len(ids) - 1) for row, ids in enumerate(prompts)], speaking=2)
    except Exception as error:  # models refuse in many ways what they were not made for
        return f"{type(error).__name__}: {error}"
    off = float((beside - alone).norm() / alone.float().norm())
    return "" if off < _TOLERANCE else f"its logits were off by {off:.0%}"


@contextmanager
def attention_of(model: Model, name: str) -> Iterator[None]:
    """Let the model attend so for a while; whoever else uses it gets its own attention back."""
    config = model.config.get_text_config()
    before = config._attn_implementation
    config._attn_implementation = name
    try:
        yield
    finally:
        config._attn_implementation = before
