"""Muon (Jordan, 2024): momentum whose matrices are made orthogonal by Newton and Schulz's iteration before they are a step.

The same steps as torch.optim.Muon, which iterates in bfloat16 on every machine: a CPU that only emulates it takes six times as
long for a step as for forward and backward together. Here it is the format that the machine computes in.
"""

import math
from collections.abc import Iterable
from typing import Any

import torch

from engine.numerics import numerics_of

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of a quintic that is steep at zero
ITERATIONS = 5
LEAST_NORM = 1e-7


class Muon(torch.optim.Optimizer):
    """For matrices alone. lr: what a square one changes by, in the spectral norm. weight_decay: decoupled."""

    def __init__(self, matrices: Iterable[torch.nn.Parameter], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix)
                momentum = state["momentum_buffer"].lerp_(matrix.grad, 1 - group["momentum"])
                direction = orthogonalised(matrix.grad.lerp(momentum, group["momentum"]))
                rows, columns = matrix.shape
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(direction, alpha=-group["lr"] * math.sqrt(max(1.0, rows / columns)))


def orthogonalised(matrix: torch.Tensor) -> torch.Tensor:
    """Return a matrix of the same singular vectors whose singular values are about 1, in the device's own format."""
    a, b, c = COEFFICIENTS
    norm: torch.Tensor = matrix.norm()  # in its own format: gradients are too small for float16
    wide = (matrix / norm.clamp(min=LEAST_NORM)).to(numerics_of(matrix.device).autocast or torch.float32)
    wide = wide.T if matrix.shape[0] > matrix.shape[1] else wide
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if matrix.shape[0] > matrix.shape[1] else wide
