"""Linear layers whose weights lie in memory as oneDNN multiplies by them. PyTorch lays them out anew for every product, so
that on a CPU a step for nine who speak takes more than twice as long as one for a single; so laid out, half as long again."""

from platform import machine
from typing import TypeVar, cast

import torch
from peft import PeftModel
from transformers import PreTrainedModel

Model = TypeVar("Model", PreTrainedModel, PeftModel)

SMALLEST = 8 << 20  # bytes; smaller weights stay in the caches, where PyTorch's own way is the shorter one
X86 = ("x86_64", "AMD64")  # where it was measured; oneDNN is another library on ARM
TOKENS = 32  # the layout is chosen for products of so many; those of any other number were as fast on it


class BlockedLinear(torch.nn.Module):
    """A Linear of float32 on the CPU, for inference alone: [..., in] to [..., out]."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), TOKENS)
        self.bias = linear.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x times the weights, and the bias."""
        return cast(torch.Tensor, torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], ""))


def blocked(model: Model, smallest: int = SMALLEST) -> Model:
    """Lay out the large weights of a model on the CPU, in place. An adapter that isn't merged needs its base's as they are.
    Weights that an embedding shares are there twice then."""
    if isinstance(model, PreTrainedModel) and model.device.type == "cpu" and machine() in X86:
        for parent in list(model.modules()):
            for name, layer in list(parent.named_children()):
                if type(layer) is torch.nn.Linear and _is_worth_it(layer.weight, smallest):
                    setattr(parent, name, BlockedLinear(layer))
    return model


def _is_worth_it(weight: torch.Tensor, smallest: int) -> bool:
    return weight.dtype == torch.float32 and weight.numel() * weight.element_size() >= smallest
