"""Cross-entropy on label positions alone, through the model's own head, in chunks: a vocabulary of 150,000 never holds
all its logits."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions, CausalLMOutputWithPast

from trainer.loop.packing import placed

IGNORED = -100
CHUNK = 2**24  # logits at a time: 64 MiB in float32

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
    """Nats summed over a batch's labels, of a model that `returns_loss` has seen (or of what wraps it)."""
    return cast(torch.Tensor, model(**batch, use_cache=False).loss)


def returns_loss(model: PreTrainedModel | PeftModel, chunk: int = CHUNK) -> None:
    """From now on the model's forward, given labels, returns the summed loss and no logits. In the forward, so that
    whatever wraps the model (adapters, DDP, FSDP) sees one ordinary call. chunk: logits held at a time."""
    causal = cast(PreTrainedModel, model.get_base_model() if isinstance(model, PeftModel) else model)
    if not isinstance(causal.forward, partial):
        causal.forward = partial(_forward, causal, causal.forward, chunk)


def _forward(
    causal: PreTrainedModel,
    plain: Callable[..., Any],
    chunk: int,
    *args: Any,
    labels: torch.Tensor | None = None,
    lengths: torch.Tensor | None = None,
    **inputs: Any,
) -> Any:
    if labels is None:
        return plain(*args, **inputs)
    if lengths is not None:
        inputs |= placed(lengths)
    hidden = getattr(causal, causal.base_model_prefix)(*args, **inputs).last_hidden_state
    following = labels[:, 1:]
    labelled = following != IGNORED
    picked, wanted, head = hidden[:, :-1][labelled], following[labelled], partial(_logits, causal, plain)
    weight = cast(torch.Tensor, cast(torch.nn.Module, causal.get_output_embeddings()).weight)
    if weight.requires_grad:  # a small grown base, whose logits are few
        loss = _nats(head(picked), wanted)
    else:
        loss = cast(Any, _Chunked).apply(picked, wanted, head, max(1, chunk // weight.shape[0]))
    return CausalLMOutputWithPast(loss=cast(Any, loss))


class _Chunked(torch.autograd.Function):
    """The gradient of each chunk is taken while its logits are there, so that the head runs once."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, labels: torch.Tensor, head: Head, rows: int) -> torch.Tensor:
        total = torch.zeros((), device=hidden.device)
        wanted = ctx.needs_input_grad[0]
        slopes = torch.empty_like(hidden) if wanted else None
        for begin in range(0, len(labels), rows):
            with torch.set_grad_enabled(wanted):
                piece = hidden[begin : begin + rows].detach().requires_grad_(wanted)
                nats = _nats(head(piece), labels[begin : begin + rows])
            total += nats.detach()
            if slopes is not None:
                slopes[begin : begin + rows] = torch.autograd.grad(nats, piece)[0]
        ctx.slopes = slopes
        return total

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        return ctx.slopes * grads[0], None, None, None


def _nats(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return cross_entropy(logits.float(), labels, reduction="sum")


def _logits(causal: PreTrainedModel, plain: Callable[..., Any], hidden: torch.Tensor) -> torch.Tensor:
    """What the model's own forward makes of hidden states, its scaling and capping included: its body is stood in for
    by what the body returned."""
    name = causal.base_model_prefix
    body = causal._modules[name]
    causal._modules[name] = _Given(hidden[None])
    try:
        return cast(torch.Tensor, plain(input_ids=None, use_cache=False).logits[0])
    finally:
        causal._modules[name] = body


class _Given(torch.nn.Module):
    """A body that has its answer already."""

    def __init__(self, hidden: torch.Tensor) -> None:
        super().__init__()
        self._hidden = hidden

    def forward(self, *_: Any, **__: Any) -> BaseModelOutputWithPastAndCrossAttentions:
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=cast(Any, self._hidden))
