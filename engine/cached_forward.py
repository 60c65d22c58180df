"""Forward passes with transformers' own cache: for models whose layers can't be packed.

Some keep a state along the sequence (Mamba, Qwen3.5, LFM2, Granite 4), others cap their attention (Gemma 2). Prompts are read
one by one; sequences that decode go through the model together, padded on the left."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import DynamicCache

from engine.forward import Model, RowInput, RowPrefix
from engine.forward_probe import difference, relative_error, tolerance
from engine.row_cache import bytes_of, copied, is_cuttable, joined, parted, states_of

# long enough that what a window or a state has lost is seen, each in stretches of its own
_PROMPTS = ([*range(1, 40)], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6])


@dataclass(frozen=True, slots=True)
class Snapshots:
    """A row as it was after some of its tokens: where it can't be cut, a follow-up begins at one of these."""

    by_length: Mapping[int, DynamicCache]

    @property
    def bytes(self) -> int:
        """Bytes its tensors take."""
        return sum(map(bytes_of, self.by_length.values()))

    def usable(self, tokens: int) -> int:
        """Return the length of the longest snapshot within `tokens`, or `tokens` of one that can be cut."""
        longest = max(self.by_length)
        if tokens < longest and is_cuttable(self.by_length[longest]):
            return tokens
        return max((known for known in self.by_length if known <= tokens), default=0)

    def at(self, tokens: int) -> DynamicCache:
        """Return a copy of the row after `tokens` tokens, which are `usable`."""
        return copied(self.by_length[min(known for known in self.by_length if known >= tokens)], tokens)


class CachedForward:
    """Rows with caches of their own, and one cache for those that decode together.

    batches: whether the model decodes padded rows rightly. continues: whether it goes on rightly where several tokens
    follow what is cached; otherwise prompts are read whole, and nothing is kept of a row."""

    def __init__(self, model: Model, *, batches: bool = True, continues: bool = True) -> None:
        self._model = model
        self._batches = batches
        self.reads_whole = not continues
        self._rows: dict[int, DynamicCache] = {}
        self._marks: dict[int, dict[int, DynamicCache]] = {}
        self._together: DynamicCache | None = None  # of rows 0, 1, …, which have none of their own meanwhile
        self._lengths: list[int] = []  # theirs, in tokens
        causal = model.get_base_model() if isinstance(model, PeftModel) else model
        self._parameters = inspect.signature(causal.forward).parameters

    def run(self, inputs: Sequence[RowInput], decode_rows: int) -> torch.Tensor:
        """Run one forward pass for all that decode, and one for each that reads."""
        apart = inputs
        passes: list[torch.Tensor] = []
        if self._batches and decode_rows > 1:
            passes.append(self._decode(inputs[:decode_rows]))
            apart = inputs[decode_rows:]
        elif decode_rows:
            self._part()
        passes += [self._read(row_input) for row_input in apart]
        return torch.cat(passes).float()

    def start(self, row: int, kept: RowPrefix | None, tokens: int) -> None:
        """Start with a copy of what is kept, or with an empty cache."""
        self._rows[row] = cast(Snapshots, kept).at(tokens) if tokens else DynamicCache(config=self._model.config)

    def release(self, row: int, last: int) -> None:
        """Give the row what `last` has."""
        self._part()
        for held in (self._rows, self._marks):
            moved = cast(dict[int, Any], held).pop(last, None)
            if row != last:
                held.pop(row, None)
                if moved is not None:
                    cast(dict[int, Any], held)[row] = moved

    def mark(self, row: int, tokens: int) -> None:
        """Copy the row, unless it can be cut later."""
        if not self.reads_whole and not is_cuttable(self._rows[row]):
            self._marks[row] = {tokens: copied(self._rows[row], tokens)}

    def export(self, row: int, tokens: int) -> Snapshots | None:
        """Return the row as it is, and as it was where it was marked."""
        if self.reads_whole:
            return None
        self._part()
        return Snapshots({**self._marks.get(row, {}), tokens: copied(self._rows[row], tokens)})

    def clear(self) -> None:
        """Free all memory."""
        self._rows.clear()
        self._marks.clear()
        self._together = None
        self._lengths = []

    def _read(self, row_input: RowInput) -> torch.Tensor:
        ids = torch.tensor([list(row_input.ids)], device=self._model.device)
        positions = torch.arange(row_input.start, row_input.start + len(row_input.ids), device=ids.device)
        return self._forward(ids, self._rows[row_input.row], position_ids=positions[None])

    def _decode(self, inputs: Sequence[RowInput]) -> torch.Tensor:
        if self._together is None or len(self._lengths) != len(inputs):
            self._part()
            self._together = joined([self._rows.pop(row_input.row) for row_input in inputs])
        self._lengths = [row_input.start + 1 for row_input in inputs]
        ids = torch.tensor([list(row_input.ids) for row_input in inputs], device=self._model.device)
        lengths, longest = torch.tensor(self._lengths, device=ids.device)[:, None], max(self._lengths)
        mask = (torch.arange(longest, device=ids.device) >= longest - lengths).long()
        return self._forward(ids, self._together, position_ids=lengths - 1, attention_mask=mask)

    def _forward(self, ids: torch.Tensor, cache: DynamicCache, **more: torch.Tensor) -> torch.Tensor:
        """Return the logits [rows, vocabulary] after the last of the ids [rows, tokens]. more: what attention has to know,
        where there is any."""
        if "cache_params" in self._parameters:  # Mamba and its like
            output = self._model(input_ids=ids, cache_params=cache, use_cache=True, logits_to_keep=1)
        else:
            output = self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1, **more)
        return cast(torch.Tensor, output.logits)[:, -1]

    def _part(self) -> None:
        """Give the rows that decoded together caches of their own again."""
        if self._together is not None:
            self._rows.update(enumerate(parted(self._together, self._lengths)))
            self._together = None
            self._lengths = []


@torch.inference_mode()
def why_not_continued(model: Model) -> str:
    """Return why the model doesn't go on rightly where several tokens follow what is cached; empty if it does.

    Its states are compared too: where weights are small, what the logits owe to them may be too little to measure."""
    stretches = {tuple(ids): (len(ids) // 2, len(ids) - 3, len(ids)) for ids in _PROMPTS}

    def run(prompts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        return [_read(model, ids, stretches[tuple(ids)])[0] for ids in prompts]

    if reason := difference(model, run, _PROMPTS):
        return reason
    for ids, ends in stretches.items():
        pairs = zip(states_of(_read(model, ids, ends)[1]), states_of(_read(model, ids, (len(ids),))[1]), strict=True)
        off = max((relative_error(state, whole) for state, whole in pairs), default=0.0)
        if off > tolerance(model):
            return f"a state along the sequence was off by {off:.0%}"
    return ""


def why_not_batched(model: Model) -> str:
    """Return why padded rows that decode together don't get the logits they get alone; empty if they do."""
    return _why_not_decoded(model, batches=True)


def why_not_cached(model: Model) -> str:
    """Return why a row that decodes by itself doesn't get the logits it gets without a cache; empty if it does."""
    return _why_not_decoded(model, batches=False)


def _why_not_decoded(model: Model, *, batches: bool) -> str:
    def run(prompts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        forward = CachedForward(model, batches=batches)
        for row, ids in enumerate(prompts):
            _read_row(forward, row, ids, (len(ids) - 2,))
        for last in (2, 1):
            decoding = [RowInput(row, [ids[-last]], len(ids) - last) for row, ids in enumerate(prompts)]
            logits = forward.run(decoding, decode_rows=len(prompts))
        return list(logits[:, None])

    return difference(model, run, _PROMPTS)


def _read(model: Model, ids: Sequence[int], ends: Sequence[int]) -> tuple[torch.Tensor, DynamicCache]:
    """Read a prompt in stretches; return the logits [1, vocabulary] after it, and the cache."""
    forward = CachedForward(model)
    logits = _read_row(forward, 0, ids, ends)
    return logits, cast(Snapshots, forward.export(0, len(ids))).at(len(ids))


def _read_row(forward: CachedForward, row: int, ids: Sequence[int], ends: Sequence[int]) -> torch.Tensor:
    forward.start(row, None, 0)
    for begin, end in zip((0, *ends), ends, strict=False):
        logits = forward.run([RowInput(row, ids[begin:end], begin)], decode_rows=0)
    return logits
