"""A card before Ampere, stood in for by the CPU: float16 autocast with a GradScaler, and products that are rounded to float16.

    python -m bench.old_card tests/trainer/test_families.py

runs tests as on such a card.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
import torch
from accelerate import Accelerator

from bench.rounded_products import RoundedProducts
from engine import numerics
from engine.numerics import Numerics

FORMATS = Numerics(weights=torch.float16, autocast=torch.float16, serving=torch.float16, quantised=torch.float16)


@contextmanager
def old_card() -> Iterator[None]:
    """While it is entered, the CPU computes as a T4 does, but for sums in another order."""
    # accelerate scales no loss on the CPU, and has no switch for it
    unscaled = Accelerator.__init__

    def scaled(accelerator: Accelerator, *arguments: Any, **options: Any) -> None:
        unscaled(accelerator, *arguments, **options)
        if accelerator.state.mixed_precision == "fp16":
            accelerator.native_amp = True
            accelerator.scaler = torch.amp.GradScaler("cpu")

    of_any_device = mock.patch.object(numerics, "Numerics", lambda *_, **__: FORMATS)
    with mock.patch.object(Accelerator, "__init__", scaled), of_any_device, RoundedProducts():  # type: ignore[no-untyped-call]
        yield


if __name__ == "__main__":
    with old_card():
        sys.exit(pytest.main(sys.argv[1:]))
