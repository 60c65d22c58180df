"""Which formats a device computes in: cards before Ampere emulate bfloat16 and refuse TF32."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from engine import numerics
from engine.numerics import best_device, card_obstacle, cpu_has_bf16, numerics_of, quantising_obstacle
from trainer.loop.trainer import precision_arguments

CUDA = torch.device("cuda", 0)
BUILT_FOR = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]  # PyTorch 2.13 for CUDA 13
OLD_CARDS = {"P100": (6, 0), "GTX 1080": (6, 1), "V100": (7, 0), "RTX 2080 Ti": (7, 5)}  # T4 too is 7.5
NEW_CARDS = {"A100": (8, 0), "RTX 3090": (8, 6), "RTX 4090": (8, 9), "H100": (9, 0), "RTX 5090": (12, 0)}


class Card:
    """Stands in for a graphics card: what PyTorch would say of it. Like real ones it says yes to bfloat16, emulated or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        monkeypatch.delenv("ALTEREGO_BFLOAT16", raising=False)
        for kept in (card_obstacle, numerics._obstacle_told):
            kept.cache_clear()
        for name, answer in (("is_available", True), ("is_bf16_supported", True), ("get_arch_list", BUILT_FOR)):
            monkeypatch.setattr(torch.cuda, name, lambda *_, answer=answer: answer)
        monkeypatch.setattr(torch.version, "hip", None)

    def nvidia(self, capability: tuple[int, int], built_for: list[str] = BUILT_FOR) -> None:
        self._patch.setattr(torch.cuda, "get_device_capability", lambda _device=None: capability)
        self._patch.setattr(torch.cuda, "get_arch_list", lambda: built_for)

    def amd(self, name: str, built_for: list[str]) -> None:
        """Its capability is the name's number, above Ampere's even for cards of 2017."""
        self._patch.setattr(torch.version, "hip", "7.2")
        self._patch.setattr(torch.cuda, "get_device_capability", lambda _device=None: (9, 0))
        self._patch.setattr(torch.cuda, "get_arch_list", lambda: built_for)
        about = SimpleNamespace(gcnArchName=f"{name}:sramecc+:xnack-")
        self._patch.setattr(torch.cuda, "get_device_properties", lambda _device=None: about)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    yield Card(monkeypatch)
    for kept in (card_obstacle, numerics._obstacle_told):
        kept.cache_clear()


def formats(device: torch.device) -> set[torch.dtype | None]:
    found = numerics_of(device)
    return {found.weights, found.autocast, found.serving, found.quantised}


@pytest.mark.parametrize("capability", OLD_CARDS.values(), ids=OLD_CARDS)
def test_before_ampere_all_is_float16_with_a_grad_scaler(card: Card, capability: tuple[int, int]) -> None:
    """Training, 4-bit products and serving; TF32, which the Trainer refuses there, isn't asked for."""
    card.nvidia(capability)
    assert formats(CUDA) == {torch.float16}
    assert numerics_of(CUDA).scales_loss
    assert precision_arguments(CUDA) == {"bf16": False, "fp16": True, "tf32": None}


@pytest.mark.parametrize("capability", NEW_CARDS.values(), ids=NEW_CARDS)
def test_from_ampere_on_all_is_bfloat16(card: Card, capability: tuple[int, int]) -> None:
    """With TF32 for what stays in float32."""
    card.nvidia(capability)
    assert formats(CUDA) == {torch.bfloat16}
    assert precision_arguments(CUDA) == {"bf16": True, "fp16": False, "tf32": True}


@pytest.mark.parametrize(
    ("name", "half"),
    [
        ("gfx906", torch.float16),  # Radeon VII, MI50
        ("gfx1032", torch.float16),  # RX 6600, where bfloat16 ends the process
        ("gfx90a", torch.bfloat16),  # MI250
        ("gfx942", torch.bfloat16),  # MI300
        ("gfx1100", torch.bfloat16),  # RX 7900
        ("gfx1201", torch.bfloat16),  # RX 9070
    ],
)
def test_amd_cards_are_asked_by_name(card: Card, name: str, half: torch.dtype) -> None:
    """Their capability says nothing, and the Trainer raises for TF32 there."""
    card.amd(name, [name])
    assert formats(CUDA) == {half}
    assert precision_arguments(CUDA) == {"bf16": half == torch.bfloat16, "fp16": half == torch.float16, "tf32": None}


def test_an_old_card_emulates_bfloat16_when_told(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """For bases that overflow in float16."""
    card.nvidia(OLD_CARDS["RTX 2080 Ti"])
    monkeypatch.setenv("ALTEREGO_BFLOAT16", "1")
    assert formats(CUDA) == {torch.bfloat16}
    assert precision_arguments(CUDA) == {"bf16": True, "fp16": False, "tf32": None}


@pytest.mark.parametrize(
    ("capability", "built_for", "runs"),
    [
        ((7, 0), BUILT_FOR, False),  # V100: the wheels for CUDA 13 left it out
        ((6, 0), ["sm_50", "sm_60", "sm_70"], True),
        ((6, 1), ["sm_50", "sm_60", "sm_70"], True),  # binaries run within their generation
        ((8, 9), BUILT_FOR, True),
        ((12, 1), ["sm_90a", "sm_120"], True),
        ((11, 0), ["sm_90a", "sm_100f"], False),  # newer than this PyTorch
        ((11, 0), ["sm_90", "compute_90"], True),  # PTX runs on all that came later
        ((9, 0), [], True),  # nothing is known
    ],
)
def test_a_card_that_pytorch_was_not_built_for_is_told_and_left_alone(
    card: Card,
    capability: tuple[int, int],
    built_for: list[str],
    runs: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its first product would raise "no kernel image is available for execution on the device"."""
    card.nvidia(capability, built_for)
    devices = {best_device().type for _ in range(2)}
    assert devices == {"cuda"} if runs else "cuda" not in devices
    told = [record.message for record in caplog.records]
    assert len(told) == (not runs)
    assert all("this PyTorch has no code for cards of capability" in line for line in told)
    assert bool(quantising_obstacle("4bit")) is not runs


def test_an_amd_card_that_pytorch_was_not_built_for_is_left_alone(card: Card) -> None:
    card.amd("gfx1032", ["gfx1030", "gfx1100"])
    assert best_device().type != "cuda"
    assert card_obstacle() == "this PyTorch has no code for gfx1032, only for gfx1030 gfx1100"


def test_eight_bits_need_turing(card: Card) -> None:
    """bitsandbytes' integer products; its 4 bits run on older cards."""
    card.nvidia(OLD_CARDS["V100"], ["sm_70"])
    assert 'set it to "4bit"' in quantising_obstacle("8bit")
    assert not quantising_obstacle("4bit")
    card.nvidia(OLD_CARDS["RTX 2080 Ti"])
    assert not quantising_obstacle("8bit")


@pytest.mark.parametrize(("switch", "has_bf16"), [("1", True), ("0", False)])
def test_a_cpu_computes_as_the_switch_says(monkeypatch: pytest.MonkeyPatch, switch: str, has_bf16: bool) -> None:
    """Weights in training stay float32 in either case."""
    monkeypatch.setenv("ALTEREGO_BFLOAT16", switch)
    found = numerics_of(torch.device("cpu"))
    assert cpu_has_bf16() is has_bf16
    assert found.weights == torch.float32
    assert found.autocast == (torch.bfloat16 if has_bf16 else None)
    assert found.serving == (torch.bfloat16 if has_bf16 else torch.float32)
    assert precision_arguments(torch.device("cpu")) == {"bf16": has_bf16, "fp16": False, "tf32": None}


@pytest.mark.parametrize("is_sonoma", [True, False])
def test_apples_gpu_computes_in_bfloat16_from_macos_14_on(monkeypatch: pytest.MonkeyPatch, is_sonoma: bool) -> None:
    """Before, its library has no such format."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda *_: is_sonoma)
    found = numerics_of(torch.device("mps"))
    half = torch.bfloat16 if is_sonoma else torch.float32
    assert {found.weights, found.serving} == {half}
    assert found.autocast == (half if is_sonoma else None)
    assert not found.tf32


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
    asked = (
        "get_device_capability",
        "is_bf16_supported",
        "get_arch_list",
        "gcnArchName",
        "version.hip",
        "_avx512_bf16",
        "_amx_tile",
    )
    files = [path for room in ("engine", "trainer", "bot") for path in (root / room).rglob("*.py")]
    deciding = {path.relative_to(root).as_posix() for path in files if any(name in path.read_text() for name in asked)}
    assert deciding == {"engine/numerics.py"}
