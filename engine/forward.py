"""A forward pass over many sequences: what a batch asks of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from peft import PeftModel
from transformers import PreTrainedModel

Model: TypeAlias = PreTrainedModel | PeftModel


def body_name(causal: PreTrainedModel) -> str:
    """Return the name of the part of a language model that makes hidden states: what its class says, else what holds the
    table of embeddings (Llama 4's text model has no part of the name it says); of a shell around a decoder (OPT), the decoder."""
    name = str(causal.base_model_prefix)
    if not hasattr(causal, name):
        table = causal.get_input_embeddings()
        parts = causal.named_children()
        name = next(str(child) for child, part in parts if any(module is table for module in part.modules()))
    is_shell = [child for child, _ in getattr(causal, name).named_children()] == ["decoder"]
    return f"{name}.decoder" if is_shell else name


def body_of(causal: PreTrainedModel) -> torch.nn.Module:
    """Return the part of a language model that makes hidden states."""
    body: torch.nn.Module = causal.get_submodule(body_name(causal))
    return body


@dataclass(frozen=True, slots=True)
class RowInput:
    """The new ids of one sequence in a forward pass: its row, and where in it they start."""

    row: int
    ids: Sequence[int]
    start: int


class RowPrefix(Protocol):
    """What was computed for the first tokens of a row, kept for whoever begins with the same ones."""

    @property
    def bytes(self) -> int:
        """Bytes its tensors take."""

    def usable(self, tokens: int) -> int:
        """Return how many of the first `tokens` tokens a row can start with."""


class Forward(Protocol):
    """Runs the new ids of many sequences through a model and keeps what it computed for them, a row each."""

    reads_whole: bool  # whether a prompt has to be read in one pass

    def run(self, inputs: Sequence[RowInput], decode_rows: int) -> torch.Tensor:
        """Return logits [inputs, vocabulary], float32, after the last id of each input. The first `decode_rows` inputs
        bring one id each, for rows 0, 1, …"""

    def start(self, row: int, kept: RowPrefix | None, tokens: int) -> None:
        """Start a row whose first `tokens` tokens are in `kept`."""

    def release(self, row: int, last: int) -> None:
        """Free a row by moving row `last` into its place."""

    def mark(self, row: int, tokens: int) -> None:
        """Note that the row holds its first `tokens` tokens and no more: what is kept of it can begin there."""

    def export(self, row: int, tokens: int) -> RowPrefix | None:
        """Return a copy of the first tokens of a row; None if nothing can be kept."""

    def clear(self) -> None:
        """Free all memory."""
