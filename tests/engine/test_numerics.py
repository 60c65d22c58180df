"""Which formats a device computes in: cards before Ampere emulate bfloat16 and refuse TF32."""

from pathlib import Path

import pytest
import torch

from engine.numerics import cpu_has_bf16, numerics_of
from trainer.loop.trainer import precision_arguments

CUDA = torch.device("cuda", 0)
TURING, AMPERE, HOPPER = (7, 5), (8, 0), (9, 0)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A CUDA card of this capability; like real ones it says yes to bfloat16, emulated or not."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device=None: request.param)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: True)


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("card", [TURING, (7, 0), (6, 1)], indirect=True)
def test_before_ampere_all_is_float16_with_a_grad_scaler() -> None:
    """Training, 4-bit products and serving; TF32, which the Trainer refuses there, isn't asked for."""
    numerics = numerics_of(CUDA)
    assert {numerics.weights, numerics.autocast, numerics.serving, numerics.quantised} == {torch.float16}
    assert numerics.scales_loss
    assert precision_arguments(CUDA) == {"bf16": False, "fp16": True, "tf32": None}


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("card", [AMPERE, (8, 9), HOPPER, (12, 0)], indirect=True)
def test_from_ampere_on_all_is_bfloat16() -> None:
    """With TF32 for what stays in float32."""
    numerics = numerics_of(CUDA)
    assert {numerics.weights, numerics.autocast, numerics.serving, numerics.quantised} == {torch.bfloat16}
    assert precision_arguments(CUDA) == {"bf16": True, "fp16": False, "tf32": True}


@pytest.mark.parametrize(("switch", "has_bf16"), [("1", True), ("0", False)])
def test_a_cpu_computes_as_the_switch_says(monkeypatch: pytest.MonkeyPatch, switch: str, has_bf16: bool) -> None:
    """Weights in training stay float32 in either case."""
    monkeypatch.setenv("ALTEREGO_BFLOAT16", switch)
    numerics = numerics_of(torch.device("cpu"))
    assert cpu_has_bf16() is has_bf16
    assert numerics.weights == torch.float32
    assert numerics.autocast == (torch.bfloat16 if has_bf16 else None)
    assert numerics.serving == (torch.bfloat16 if has_bf16 else torch.float32)
    assert precision_arguments(torch.device("cpu")) == {"bf16": has_bf16, "fp16": False, "tf32": None}


@pytest.mark.parametrize("is_sonoma", [True, False])
def test_apples_gpu_computes_in_bfloat16_from_macos_14_on(monkeypatch: pytest.MonkeyPatch, is_sonoma: bool) -> None:
    """Before, its library has no such format."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda *_: is_sonoma)
    numerics = numerics_of(torch.device("mps"))
    half = torch.bfloat16 if is_sonoma else torch.float32
    assert {numerics.weights, numerics.serving} == {half}
    assert numerics.autocast == (half if is_sonoma else None)
    assert not numerics.tf32


def test_without_the_switch_the_hardware_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """AVX-512 BF16 or AMX."""
    monkeypatch.delenv("ALTEREGO_BFLOAT16", raising=False)
    for avx, amx in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx=avx: avx)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        assert cpu_has_bf16() is (avx or amx)


def test_only_one_module_decides() -> None:
    """Nobody else asks a device what it can."""
    root = Path(__file__).parents[2]
    asked = ("get_device_capability", "is_bf16_supported", "_avx512_bf16", "_amx_tile")
    files = [path for room in ("engine", "trainer", "bot") for path in (root / room).rglob("*.py")]
    deciding = {path.relative_to(root).as_posix() for path in files if any(name in path.read_text() for name in asked)}
    assert deciding == {"engine/numerics.py"}
