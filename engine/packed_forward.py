"""Forward passes of a transformers model over many sequences at once, and whether a model can be run that way."""

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

import torch
from peft import PeftModel
from transformers import AttentionInterface, DynamicCache, PreTrainedModel

from engine.kv_cache import KVCache, KVSlice, PrefillChunk, StepBatch, attention

log = logging.getLogger("alterego.engine")

Model: TypeAlias = PreTrainedModel | PeftModel

ATTENTION = "alterego_packed"  # our attention's name among transformers' implementations
# of the logits' length, which rounding moves by less, and a wrong mask by about 1
_TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.01}
_PROBES = ([1, 2, 3, 4, 5, 6, 7], [3, 1, 4, 1, 5])  # two short prompts of any model


@dataclass(frozen=True, slots=True)
class RowInput:
    """The new ids of one sequence in a forward pass: its row, and where in it they start."""

    row: int
    ids: Sequence[int]
    start: int


class Forward(Protocol):
    """Runs the new ids of many sequences through a model and keeps their keys and values, a row each."""

    def run(self, inputs: Sequence[RowInput], decode_rows: int) -> torch.Tensor:
        """Return logits [inputs, vocabulary], float32, after the last id of each input. The first `decode_rows` inputs
        bring one id each, for rows 0, 1, …"""

    def start(self, row: int, kv: KVSlice, tokens: int) -> None:
        """Start a row whose first `tokens` tokens are cached in `kv`."""

    def release(self, row: int, last: int) -> None:
        """Free a row by moving row `last` into its place."""

    def export(self, row: int, tokens: int) -> KVSlice:
        """Return a copy of the first tokens of a row; empty if the model's cache can't be copied."""

    def clear(self) -> None:
        """Free all memory."""


class PackedForward:
    """All inputs in one forward pass, side by side, without padding."""

    def __init__(self, model: Model) -> None:
        AttentionInterface.register(ATTENTION, attention)
        self._model = model
        self._cache = KVCache()

    def run(self, inputs: Sequence[RowInput], decode_rows: int) -> torch.Tensor:
        """Run one forward pass over all ids."""
        device = self._model.device
        self._cache.reserve(
            1 + max(row_input.row for row_input in inputs),
            max(row_input.start + len(row_input.ids) for row_input in inputs),
        )
        prefills = [
            PrefillChunk(row_input.row, row_input.start, len(row_input.ids)) for row_input in inputs[decode_rows:]
        ]
        ids = [token for row_input in inputs for token in row_input.ids]
        positions = [row_input.start + k for row_input in inputs for k in range(len(row_input.ids))]
        ends = torch.tensor([len(row_input.ids) for row_input in inputs], device=device).cumsum(0) - 1
        with attention_of(self._model, ATTENTION):
            output = self._model(
                input_ids=torch.tensor([ids], device=device),
                position_ids=torch.tensor([positions], device=device),
                use_cache=False,
                logits_to_keep=ends,
                step_batch=StepBatch(
                    self._cache, [row_input.start for row_input in inputs[:decode_rows]], prefills, device
                ),
            )
        return cast(torch.Tensor, output.logits)[0].float()

    def start(self, row: int, kv: KVSlice, tokens: int) -> None:
        """Copy the cached tokens in."""
        if tokens:
            self._cache.reserve(row + 1, tokens)
            self._cache.load(row, kv, tokens)

    def release(self, row: int, last: int) -> None:
        """Copy row `last` over it."""
        if row != last:
            self._cache.move(last, row)

    def export(self, row: int, tokens: int) -> KVSlice:
        """Copy the tokens out."""
        return self._cache.export(row, tokens)

    def clear(self) -> None:
        """Free all memory."""
        self._cache.clear()


class SingleForward:
    """One forward pass an input, with transformers' own cache: for models whose attention can't be packed."""

    def __init__(self, model: Model) -> None:
        self._model = model
        causal = model.get_base_model() if isinstance(model, PeftModel) else model
        parameters = inspect.signature(causal.forward).parameters
        self._cache_name = (
            "cache_params" if "cache_params" in parameters else "past_key_values"
        )  # Mamba's is the former
        self._caches: dict[int, DynamicCache] = {}

    def run(self, inputs: Sequence[RowInput], decode_rows: int) -> torch.Tensor:
        """Run one forward pass an input."""
        return torch.stack([self._run(row_input) for row_input in inputs])

    def start(self, row: int, kv: KVSlice, tokens: int) -> None:
        """Start with an empty cache."""
        self._caches[row] = DynamicCache(config=self._model.config)

    def release(self, row: int, last: int) -> None:
        """Give the row the cache of `last`."""
        cache = self._caches.pop(last)
        if row != last:
            self._caches[row] = cache

    def export(self, row: int, tokens: int) -> KVSlice:
        """Return nothing: not every such cache can be cut."""
        return {}

    def clear(self) -> None:
        """Free all memory."""
        self._caches.clear()

    def _run(self, row_input: RowInput) -> torch.Tensor:
        ids = torch.tensor([list(row_input.ids)], device=self._model.device)
        cache = self._caches[row_input.row]
        output = self._model(input_ids=ids, **{self._cache_name: cache}, use_cache=True, logits_to_keep=1)
        return cast(torch.Tensor, output.logits)[0, -1].float()


def forward_of(model: Model) -> Forward:
    """Return the fastest forward that gives this model's own logits."""
    reason = why_not_served_packed(model)
    if not reason:
        return PackedForward(model)
    log.warning("requests are not batched: this base's attention can't be packed (%s)", reason)
    return SingleForward(model)


def why_not_served_packed(model: Model) -> str:
    """Return why `PackedForward` can't run this model; empty if it can."""
    packed = PackedForward(model)

    def run(prompts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        packed.run([RowInput(row, ids[:-1], 0) for row, ids in enumerate(prompts)], decode_rows=0)
        last = [RowInput(row, ids[-1:], len(ids) - 1) for row, ids in enumerate(prompts)]
        return list(packed.run(last, decode_rows=len(prompts))[:, None])

    return why_not_packed(model, run)


@torch.inference_mode()
def why_not_packed(model: Model, run: Callable[[Sequence[Sequence[int]]], Sequence[torch.Tensor]]) -> str:
    """Return why sequences run side by side by `run` don't get the logits they get alone; empty if they do.

    run: given prompts, returns for each the logits [n, vocabulary] after its last n ids."""
    if _keeps_state(model):
        return "some layers keep a state along the sequence"
    expected = [model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0] for ids in _PROBES]
    try:
        packed = run(_PROBES)
    except Exception as error:  # models refuse in many ways what they were not made for
        return f"{type(error).__name__}: {error}"
    reference = torch.cat([alone[-len(rows) :] for alone, rows in zip(expected, packed, strict=True)]).float()
    off = float((torch.cat(list(packed)).float() - reference).norm() / reference.norm())
    return "" if off < _TOLERANCES.get(model.dtype, 0.05) else f"its logits were off by {off:.1%}"


def _keeps_state(model: Model) -> bool:
    """Return whether the language model has convolutions along the sequence, as Mamba and its like do: their leak from a
    neighbour may be too small to measure."""
    causal = cast(PreTrainedModel, model.get_base_model() if isinstance(model, PeftModel) else model)
    body = getattr(causal, causal.base_model_prefix)
    return any(isinstance(module, torch.nn.Conv1d) for module in getattr(body, "language_model", body).modules())


@contextmanager
def attention_of(model: Model, name: str) -> Iterator[None]:
    """Use another attention implementation within the block."""
    config = model.config.get_text_config()
    before = config._attn_implementation
    config._attn_implementation = name
    try:
        yield
    finally:
        config._attn_implementation = before
