"""Asks a model whether a way of running it gives its own logits."""

from collections.abc import Callable, Sequence

import torch

from engine.forward import Model
from persona.out_of_memory import is_out_of_memory

# of the logits' length, which rounding moves by less, and a wrong mask by about 1
_TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.01}
_PROMPTS = (range(1, 8), (3, 1, 4, 1, 5))  # two short ones of any model


@torch.inference_mode()
def difference(
    model: Model,
    run: Callable[[Sequence[Sequence[int]]], Sequence[torch.Tensor]],
    prompts: Sequence[Sequence[int]] = _PROMPTS,
) -> str:
    """Return how the logits by `run` differ from those of each prompt alone, in words; empty if they don't.

    run: given prompts, returns for each the logits [n, vocabulary] after its last n ids."""
    expected = [
        model(input_ids=torch.tensor([list(ids)], device=model.device), use_cache=False).logits[0] for ids in prompts
    ]
    try:
        probed = run([list(ids) for ids in prompts])
    except Exception as error:  # models refuse in many ways what they were not made for
        if is_out_of_memory(error):
            raise
        return f"{type(error).__name__}: {error}"
    reference = torch.cat([alone[-len(rows) :] for alone, rows in zip(expected, probed, strict=True)])
    off = relative_error(torch.cat(list(probed)), reference)
    return "" if off < tolerance(model) else f"its logits were off by {off:.1%}"


def relative_error(tensor: torch.Tensor, reference: torch.Tensor) -> float:
    """Return the length of the difference over that of the reference."""
    return float((tensor.float() - reference.float()).norm() / reference.float().norm())


def tolerance(model: Model) -> float:
    """Return what rounding may move at most, as a relative error."""
    return _TOLERANCES.get(model.dtype, 0.05)
