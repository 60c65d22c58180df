"""Whether a loaded base can carry a transcript: asked of its logits, since a config may say anything."""

from typing import Any, cast

import torch
from transformers import PreTrainedModel

from engine.backends.transformers_engine import no_number
from engine.forward_probe import relative_error
from engine.numerics import autocast, numerics_of
from persona.errors import UserError
from persona.out_of_memory import is_out_of_memory

LEAK = 0.05  # of the logits' length: what rounding moves by less, and an encoder that reads ahead by a fifth and more
KEPT, READ = 6, 12  # ids of a prompt whose end is changed, and of all of it


@torch.inference_mode()
def require_language_model(model: PreTrainedModel, name: str) -> None:
    """Raise UserError for a base that can't read text alone, reads ahead, or overflows in the format of a training."""
    ids = torch.arange(1, READ + 1, device=model.device)[None]
    other = ids.clone()
    other[:, KEPT:] += READ
    was_training = model.training
    model.eval()
    try:
        with autocast(model.device):
            logits, changed = (
                cast(Any, model)(input_ids=text, use_cache=False).logits[:, :KEPT] for text in (ids, other)
            )
    except Exception as error:  # models refuse in many ways what they were not made for
        if is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"the base {name!r} ({type(model).__name__}) can't read text alone ({type(error).__name__}: {reason}); choose a "
            "language model, such as Qwen/Qwen3-0.6B-Base"
        ) from error
    finally:
        model.train(was_training)
    if not torch.isfinite(logits).all():
        raise UserError(f"the base {name!r}: {no_number(numerics_of(model.device).autocast or model.dtype)}")
    if relative_error(changed, logits) > LEAK:
        raise UserError(
            f"the base {name!r} ({type(model).__name__}) reads ahead: a word changes what it says before it, as in BERT and its "
            "like, so it can't go on with a text; choose a decoder-only language model, such as Qwen/Qwen3-0.6B-Base"
        )
