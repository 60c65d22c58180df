"""Cross-entropy on label positions alone, through the model's own head, in chunks: the logits of a
vocabulary of 150,000 are never all in memory."""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from engine.forward import body_name, body_of
from trainer.loop.packing import packing_inputs

IGNORE_INDEX = -100
CHUNK = 2**24  # logits at a time: 64 MiB in float32
HEADER_WEIGHT = 0.1  # of the loss on headers: who speaks next is learned, and what is said no worse (docs/likeness.md)

Head = Callable[[torch.Tensor], torch.Tensor]  # hidden states [n, hidden] -> logits [n, vocabulary]


@dataclass(frozen=True, slots=True)
class Loss:
    """nats over so many target tokens, which stand for so many characters."""

    nats: float
    tokens: int
    characters: int

    @property
    def bits_per_character(self) -> float:
        """Comparable across tokenizers."""
        return self.nats / math.log(2) / max(1, self.characters)

    @property
    def perplexity(self) -> float:
        """Per token."""
        return math.exp(min(self.nats / max(1, self.tokens), 50))


def summed_loss(model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return nats summed over a batch's labels, and weighted ones over its header_labels if it has any. model: one that
    `install_loss` has changed, or what wraps it."""
    return cast(torch.Tensor, model(**batch, use_cache=False).loss)


def row_losses(model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return nats [rows] summed over the labels of each row of a batch, padded or packed. model: as of `summed_loss`."""
    return cast(torch.Tensor, model(**batch, by_row=True, use_cache=False).loss)


def install_loss(model: PreTrainedModel | PeftModel, chunk: int = CHUNK) -> None:
    """Make the model's forward return the summed loss and no logits if given labels. chunk: logits held at a time.

    In the forward, so that whatever wraps the model (adapters, DDP, FSDP) sees one ordinary call."""
    causal = cast(PreTrainedModel, model.get_base_model() if isinstance(model, PeftModel) else model)
    if not isinstance(causal.forward, partial):
        causal.forward = partial(_forward, causal, causal.forward, chunk)


def _forward(
    causal: PreTrainedModel,
    plain: Callable[..., Any],
    chunk: int,
    *args: Any,
    labels: torch.Tensor | None = None,
    header_labels: torch.Tensor | None = None,
    lengths: torch.Tensor | None = None,
    by_row: bool = False,
    **inputs: Any,
) -> Any:
    if labels is None:
        return plain(*args, **inputs)
    if lengths is not None:
        inputs |= packing_inputs(lengths)
    output = body_of(causal)(*args, **inputs)
    hidden = output.last_hidden_state
    following, weights = _weighted(labels[:, 1:], None if header_labels is None else header_labels[:, 1:])
    labelled = following != IGNORE_INDEX
    picked, head = hidden[:, :-1][labelled], partial(_logits, causal, plain, output)
    expected, weights = following[labelled], weights[labelled]
    output_head = cast(torch.nn.Module, causal.get_output_embeddings())
    weight = cast(torch.Tensor, output_head.weight)
    if any(each.requires_grad for each in output_head.parameters()):  # of a grown base, or of a LoRA on the head
        nats = _nats(head(picked), expected, weights)
    else:
        nats = cast(Any, _Chunked).apply(picked, expected, weights, head, max(1, chunk // weight.shape[0]))
    loss = _by_row(nats, labelled, lengths) if by_row else nats.sum()
    return CausalLMOutputWithPast(loss=cast(Any, loss))


def _by_row(nats: torch.Tensor, labelled: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """Return the sums [rows] of nats [n], in the order of labelled [rows, tokens - 1]. lengths: of rows that are packed."""
    if lengths is None:
        count, row_of = len(labelled), torch.arange(len(labelled), device=nats.device)[:, None].expand_as(labelled)
    else:
        numbers = torch.arange(len(lengths), device=nats.device)
        count, row_of = len(lengths), numbers.repeat_interleave(lengths)[None, 1:]
    return nats.new_zeros(count).index_add(0, row_of[labelled], nats)


class _Chunked(torch.autograd.Function):
    """Nats [n] of the labels. The gradient of each chunk is taken while its logits are there, so that the head runs once."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, head: Head, rows: int
    ) -> torch.Tensor:
        nats = torch.zeros(len(labels), device=hidden.device)
        needs_gradients = ctx.needs_input_grad[0]
        gradients = torch.empty_like(hidden) if needs_gradients else None
        for begin in range(0, len(labels), rows):
            chunk = slice(begin, begin + rows)
            with torch.set_grad_enabled(needs_gradients):
                piece = hidden[chunk].detach().requires_grad_(needs_gradients)
                here = _nats(head(piece), labels[chunk], weights[chunk])
            nats[chunk] = here.detach()
            if gradients is not None:
                gradients[chunk] = torch.autograd.grad(here, piece, torch.ones_like(here))[0]
        ctx.gradients = gradients
        return nats

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        return ctx.gradients * grads[0][:, None], None, None, None, None


def _weighted(labels: torch.Tensor, headers: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the labels of contents and headers together, and the weight of each."""
    if headers is None:
        return labels, torch.ones(labels.shape, device=labels.device)
    is_header = headers != IGNORE_INDEX
    return torch.where(is_header, headers, labels), torch.where(is_header, HEADER_WEIGHT, 1.0)


def _nats(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return cross_entropy(logits.float(), labels, reduction="none") * weights


def _logits(causal: PreTrainedModel, plain: Callable[..., Any], output: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Return the logits that the model's own forward makes of hidden states, scaling and capping included.

    output: what the body returned; its other fields (router logits, image states) stay as forwards expect them."""
    place, _, name = body_name(causal).rpartition(".")
    holder = causal.get_submodule(place)
    body = holder._modules[name]
    ids = torch.zeros((1, len(hidden)), dtype=torch.long, device=hidden.device)  # some forwards look at their shape
    holder._modules[name] = _StoredBody(cast(torch.nn.Module, body), output, hidden[None])
    try:
        return cast(torch.Tensor, plain(input_ids=ids, use_cache=False).logits[0])
    finally:
        holder._modules[name] = body


class _StoredBody(torch.nn.Module):
    """Stands in for a model's body and returns what that returned."""

    def __init__(self, body: torch.nn.Module, output: Any, hidden: torch.Tensor) -> None:
        super().__init__()
        self._body = (body,)  # in a tuple: no submodule
        self._output = copy.copy(output)
        self._output.last_hidden_state = hidden

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_body"][0], name)  # a head may be scaled by what its body holds

    def forward(self, *_: Any, **__: Any) -> Any:
        return self._output
