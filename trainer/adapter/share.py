"""How much of a trained adapter is kept: as much as predicts held-out messages no worse than the base alone.

A base grown on the same messages may have read them so often that more training only learns them by heart, from the first step
on. Between the base and the adapter lie adapters that say less by heart, and speak in the same voice.
"""

from collections.abc import Sequence

import torch
from peft import PeftModel

from trainer.loop.batches import Window
from trainer.loop.held_out_loss import measure_loss

SHARES = (1.0, 0.5, 0.25, 0.125)  # the last is hardly more than the base
_LAST_FACTORS = ("lora_B", "lora_embedding_B")


def keep_share(
    model: PeftModel, held_out: Sequence[Window], budget: int, pad: int, known: float | None = None
) -> float:
    """Weaken the adapter until it predicts the held-out rows no worse than its base; return the share that is kept, the least
    if none does. All of it is kept where nothing is held out. budget: tokens a batch. known: nats a token of these rows with the
    whole adapter, where they were measured already."""
    if not held_out:
        return SHARES[0]
    with model.disable_adapter():
        base = _nats(model, held_out, budget, pad)
    kept = SHARES[0]
    for share in SHARES:
        scale_adapter(model, share / kept)
        kept = share
        tuned = known if known is not None and share == SHARES[0] else _nats(model, held_out, budget, pad)
        if tuned <= base:
            break
    return kept


def _nats(model: PeftModel, held_out: Sequence[Window], budget: int, pad: int) -> float:
    """Return nats a token."""
    loss = measure_loss(model, held_out, budget, pad)
    return loss.nats / max(1, loss.tokens)


def scale_adapter(model: PeftModel, share: float) -> None:
    """Multiply what the adapter adds to its base."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if any(factor in name for factor in _LAST_FACTORS):
                weight.mul_(share)
