"""bfloat16 and float16 on a CPU that has neither, near the speed of float32: products of rounded numbers, summed in float32, and
rounded.

That is what a card's or a processor's own units for them do, and what PyTorch's emulation gives but for one unit in the last
place of one element in ten thousand; it takes 25 times as long over it (rows of 512 tokens, AVX2). Only for experiments: what is
kept for the way back stays in two bytes a number, and everything that isn't a product is PyTorch's own.
"""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
PRODUCTS = {aten.mm.default, aten.addmm.default, aten.bmm.default, aten.baddbmm.default}
HALVES = {torch.bfloat16, torch.float16}


class RoundedProducts(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, products in bfloat16 and float16 are computed in float32 and rounded, on the way back too."""

    def __torch_dispatch__(
        self, operator: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        """Run one operator of PyTorch's."""
        options = options or {}
        if torch.is_inference_mode_enabled():  # where a layer comes as one operator
            with self:
                if (found := operator.decompose(*arguments, **options)) is not NotImplemented:
                    return found
        if operator not in PRODUCTS or (dtype := arguments[-1].dtype) not in HALVES:
            return operator(*arguments, **options)
        widened = (argument.float() if isinstance(argument, torch.Tensor) else argument for argument in arguments)
        return operator(*widened, **options).to(dtype)
