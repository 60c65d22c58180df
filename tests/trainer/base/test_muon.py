"""Muon makes the steps that torch's makes, in the format that the machine computes in."""

import pytest
import torch

from bench.old_card import old_card
from engine.cpu_precision import SWITCH
from engine.forward_probe import relative_error
from trainer.base.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(48, 16), (16, 48), (32, 32)])
def test_steps_are_those_of_torch(shape: tuple[int, int]) -> None:
    """But for rounding: torch's iterates in bfloat16."""
    start = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    pairs = (
        (ours, Muon([ours], lr=0.02, momentum=0.95, weight_decay=0.01)),
        (theirs, torch.optim.Muon([theirs], lr=0.02, momentum=0.95, weight_decay=0.01)),
    )
    for number in range(4):
        gradient = torch.randn(*shape, generator=torch.Generator().manual_seed(number + 1))
        for weight, optimizer in pairs:
            weight.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(ours - start, theirs - start, atol=2e-3, rtol=0.05)


@pytest.mark.parametrize(("switch", "format"), [("0", torch.float32), ("1", torch.bfloat16)])
def test_iterations_are_in_the_machine_s_format(
    switch: str, format: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where bfloat16 is only emulated, a step of the demo's base took six times as long as forward and backward."""
    monkeypatch.setenv(SWITCH, switch)
    assert orthogonalised(torch.randn(8, 8)).dtype == format


@pytest.mark.parametrize("size", [1.0, 1e-7])
def test_small_gradients_make_the_same_step_in_float16(size: float) -> None:
    """On cards before Ampere: below 6e-5 its numbers lose bits, below 3e-8 all of them."""
    gradient = torch.randn(24, 60, generator=torch.Generator().manual_seed(0))
    expected = orthogonalised(gradient)
    with old_card():
        found = orthogonalised(size * gradient)
    assert found.dtype == torch.float16
    assert relative_error(found, expected) < 0.01


def test_singular_values_come_near_to_one() -> None:
    values = torch.linalg.svdvals(orthogonalised(torch.randn(24, 60)).float())
    assert 0.5 < values.min() < values.max() < 1.4
