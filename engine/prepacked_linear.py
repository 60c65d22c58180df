"""Linear layers whose weights lie in memory as oneDNN multiplies by them. PyTorch lays them out anew for every product, so
that on a CPU a step of nine sequences takes 2.5 times as long as one of a single sequence; prepacked, 1.4 times."""

from platform import machine
from typing import TypeVar, cast

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from engine.packed_forward import why_not_served_packed

Model = TypeVar("Model", PreTrainedModel, PeftModel)

MIN_WEIGHT_BYTES = 8 << 20  # bytes; smaller weights stay in the caches, where PyTorch's own way is the shorter one
X86 = ("x86_64", "AMD64")  # where it was measured; oneDNN is another library on ARM
LAYOUT_TOKENS = 32  # the layout is chosen for products of so many; those of any other number were as fast on it


class PrepackedLinear(torch.nn.Module):
    """A Linear of float32 on the CPU, to be called and no more: [..., in] to [..., out]. Its weight is an opaque tensor, which
    can't be trained, copied, saved or multiplied by anything else."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), LAYOUT_TOKENS)
        self.bias = linear.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x times the weights, plus the bias."""
        return cast(torch.Tensor, torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], ""))


def prepack_linear(model: Model, min_bytes: int = MIN_WEIGHT_BYTES) -> Model:
    """Prepack the large weights of a model on the CPU, in place, if nothing but its layers' own calls uses them: in
    models that can be packed. An adapter that isn't merged needs its base's as they are. Weights that an embedding shares
    are there twice then."""
    on_x86 = model.device.type == "cpu" and machine() in X86 and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if on_x86 and isinstance(model, PreTrainedModel) and not why_not_served_packed(model):
        # a list of parents alone: one of the layers would keep all old weights until its end
        for parent in [module for module in model.modules() if type(module) is not torch.nn.Linear]:
            for name, layer in list(parent.named_children()):
                if type(layer) is torch.nn.Linear and _is_worth_it(layer.weight, min_bytes):
                    setattr(parent, name, PrepackedLinear(layer))
    return model


def _is_worth_it(weight: torch.Tensor, min_bytes: int) -> bool:
    return weight.dtype == torch.float32 and weight.numel() * weight.element_size() >= min_bytes
