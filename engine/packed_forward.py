"""Many sequences side by side in one forward pass, and whether a model can be run that way."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from peft import PeftModel
from transformers import AttentionInterface, PreTrainedModel

from engine.forward import Model, RowInput, RowPrefix, body_of
from engine.forward_probe import difference
from engine.kv_cache import KVCache, KVSlice, PrefillChunk, StepBatch, attention

ATTENTION = "alterego_packed"  # our attention's name among transformers' implementations


class PackedForward:
    """All inputs in one forward pass, side by side, without padding."""

    reads_whole = False

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
        logits = cast(torch.Tensor, output.logits)[0]
        # some models, Qwen2-Audio among them, know no logits_to_keep
        return (logits if len(logits) == len(ends) else logits[ends]).float()

    def start(self, row: int, kept: RowPrefix | None, tokens: int) -> None:
        """Copy the cached tokens in."""
        if tokens:
            self._cache.reserve(row + 1, tokens)
            self._cache.load(row, cast(KVSlice, kept), tokens)

    def release(self, row: int, last: int) -> None:
        """Copy row `last` over it."""
        if row != last:
            self._cache.move(last, row)

    def mark(self, row: int, tokens: int) -> None:
        """Keys and values can be cut anywhere."""

    def export(self, row: int, tokens: int) -> KVSlice | None:
        """Copy the tokens out."""
        return self._cache.export(row, tokens)

    def clear(self) -> None:
        """Free all memory."""
        self._cache.clear()


def why_not_served_packed(model: Model) -> str:
    """Return why `PackedForward` can't run this model; empty if it can."""
    packed = PackedForward(model)

    def run(prompts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        packed.run([RowInput(row, ids[:-1], 0) for row, ids in enumerate(prompts)], decode_rows=0)
        last = [RowInput(row, ids[-1:], len(ids) - 1) for row, ids in enumerate(prompts)]
        return list(packed.run(last, decode_rows=len(prompts))[:, None])

    return why_not_packed(model, run)


def why_not_packed(model: Model, run: Callable[[Sequence[Sequence[int]]], Sequence[torch.Tensor]]) -> str:
    """Return why sequences run side by side by `run` don't get the logits they get alone; empty if they do.

    run: given prompts, returns for each the logits [n, vocabulary] after its last n ids."""
    return "some layers keep a state along the sequence" if _keeps_state(model) else difference(model, run)


def _keeps_state(model: Model) -> bool:
    """Return whether the language model has convolutions along the sequence, as Mamba and its like do: their leak from a
    neighbour may be too small to measure."""
    causal = cast(PreTrainedModel, model.get_base_model() if isinstance(model, PeftModel) else model)
    body = body_of(causal)
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
