"""Which layers of a base get a LoRA: those of its language model that PEFT can train, whatever else the base holds."""

import re
from typing import cast

import torch
from transformers import PreTrainedModel

from engine.backends.transformers_engine import head_of
from engine.forward import body_name, body_of

ALL_LINEAR = "all-linear"
UNTRAINABLE = frozenset(
    {"out_proj"}
)  # in Mamba's mixers, whose kernels read the weight past the layer, and so past a LoRA

_OWN_NAME = re.compile(r"[^.]+(\.\d+)*$")


def target_modules(base: PreTrainedModel, modules: str | list[str]) -> str | list[str]:
    """Return LoRA's target_modules for `modules`: "all-linear", names of layers, or a pattern, which is left as it is."""
    if isinstance(modules, str) and modules != ALL_LINEAR:
        return modules
    prefix, left_out = text_prefix(base), UNTRAINABLE if is_mamba(base) else frozenset[str]()
    if not prefix and not (left_out and modules == ALL_LINEAR):
        return modules
    names = _linear_names(base, prefix) - left_out if modules == ALL_LINEAR else set(modules)
    if not prefix:
        return sorted(names)
    of_text, head = rf"{re.escape(prefix)}\..*\b({'|'.join(map(re.escape, sorted(names)))})", head_of(base)
    return f"{of_text}|{re.escape(head)}" if head.rpartition(".")[2] in names else of_text


def lora_dropout(base: PreTrainedModel, dropout: float) -> float:
    """Return the dropout for a base: 0 with experts kept as bare parameters, which PEFT can't put dropout before."""
    return 0.0 if has_stacked_experts(base) else dropout


def text_prefix(base: PreTrainedModel) -> str:
    """Return the name of the language model inside a base that sees pictures too; "" for a language model."""
    return f"{body_name(base)}.language_model" if hasattr(body_of(base), "language_model") else ""


def is_mamba(base: PreTrainedModel) -> bool:
    """Return whether a base has Mamba mixers, by the parameters of their recurrence."""
    return any(hasattr(module, "A_log") and hasattr(module, "D") for module in base.modules())


def has_stacked_experts(base: PreTrainedModel) -> bool:
    """Return whether a base keeps its experts' weights as one parameter [experts, out, in]."""
    return any(
        "expert" in type(module).__name__.lower()
        and any(weight.ndim == 3 for weight in module.parameters(recurse=False))
        for module in base.modules()
    )


def _linear_names(base: PreTrainedModel, prefix: str) -> set[str]:
    """Return the last part of the linear layers' names; with that before it where it is a number, which layers have too."""
    head = base.get_output_embeddings()
    return {
        cast(re.Match[str], _OWN_NAME.search(name))[0]
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head and name.startswith(prefix)
    }
