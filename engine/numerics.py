"""Which number formats a device computes in: decided here for training, evaluation and serving alike."""

import logging
from dataclasses import dataclass
from functools import cache

import torch

from engine.cpu_precision import bfloat16_switch

log = logging.getLogger("alterego.engine")

# sums of float16 products stay in float32 on cards where they are divided among blocks too: parts of them could overflow
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False

# a GradScaler's at first: PyTorch's 65,536 is halved at each step that overflows, which is left out. Gemma 3 270M lost its first
# four of 63 to it, and a tenth of what it would have learned (512 tokens a step)
LOSS_SCALE = 2048.0
AMPERE = (8, 0)  # the first CUDA capability that computes in bfloat16 and TF32; older cards only emulate bfloat16
TURING = (7, 5)  # the first one whose integer products bitsandbytes' 8 bits need (its installation guide, 0.50)
# AMD's without bfloat16 of their own, by the beginnings of their names: Vega, Radeon VII, RDNA 1 and 2. PyTorch says yes to all
# (https://github.com/unslothai/unsloth/pull/7682).
AMD_WITHOUT_BF16 = ("gfx8", "gfx900", "gfx902", "gfx904", "gfx906", "gfx909", "gfx90c", "gfx10")
OLDER_CUDA = "install one for CUDA 12.6 (pip install torch --index-url https://download.pytorch.org/whl/cu126)"


@dataclass(frozen=True, slots=True)
class Numerics:
    """The formats of one device. weights: of a base that an adapter is trained on. autocast: of training and evaluation,
    None without autocast. serving: of a model that speaks. quantised: what products of a 4-bit base are computed in."""

    weights: torch.dtype
    autocast: torch.dtype | None
    serving: torch.dtype
    quantised: torch.dtype
    tf32: bool = False

    @property
    def scales_loss(self) -> bool:
        """Whether gradients would underflow without a GradScaler."""
        return self.autocast == torch.float16


def numerics_of(device: torch.device) -> Numerics:
    """Return the formats of a device: bfloat16 if it computes in it, or is told to emulate it; else float16 on a graphics
    card."""
    if device.type == "cuda":
        half = torch.bfloat16 if _card_has_bf16(device) or bfloat16_switch() else torch.float16
        return Numerics(half, half, half, half, tf32=_card_has_tf32(device))
    if device.type == "mps":
        half = torch.bfloat16 if _mps_has_bf16() else torch.float32
        return Numerics(half, half if half == torch.bfloat16 else None, half, torch.float32)
    has_bf16 = device.type == "cpu" and cpu_has_bf16()
    return Numerics(
        torch.float32,
        torch.bfloat16 if has_bf16 else None,
        torch.bfloat16 if has_bf16 else torch.float32,
        torch.float32,
    )


def _card_has_bf16(device: torch.device) -> bool:
    """Return whether a card computes in bfloat16: not is_bf16_supported(), which is true of emulation."""
    if torch.version.hip:
        return not _amd_name(device).startswith(AMD_WITHOUT_BF16)
    return torch.cuda.get_device_capability(device) >= AMPERE


def _card_has_tf32(device: torch.device) -> bool:
    """Return whether a card has TF32. AMD's report capabilities above Ampere's, and the Trainer refuses TF32 there."""
    return not torch.version.hip and torch.cuda.get_device_capability(device) >= AMPERE


def _amd_name(device: torch.device) -> str:
    """Return the name of an AMD card's architecture, such as "gfx1030"."""
    return str(torch.cuda.get_device_properties(device).gcnArchName).partition(":")[0]


def quantising_obstacle(quantize: str, otherwise: str = "none") -> str:
    """Return why a base can't be quantised ("8bit" or "4bit") on the best device, and what to do; empty if it can. otherwise:
    what to set instead."""
    device = best_device()
    if device.type != "cuda":
        reason = "elsewhere a quantised base trains nothing and says nothing"
        return f'needs a CUDA card: {card_obstacle() if torch.cuda.is_available() else reason}; set it to "{otherwise}"'
    if quantize == "8bit" and not torch.version.hip and torch.cuda.get_device_capability(device) < TURING:
        return 'needs a card from Turing on (T4, RTX 20); set it to "4bit" or "none"'
    return ""


@cache
def card_obstacle() -> str:
    """Return why PyTorch, as it is installed, can't compute on the graphics card that it sees; empty if it can."""
    built_for = torch.cuda.get_arch_list()
    if torch.version.hip:
        name, known = _amd_name(torch.device("cuda")), " ".join(built_for)
        fits = not built_for or name in built_for or "generic" in known
        return "" if fits else f"this PyTorch has no code for {name}, only for {known}"
    major, minor = torch.cuda.get_device_capability()
    if not built_for or any(_runs(kind, major, minor) for kind in built_for):
        return ""
    mend = OLDER_CUDA if (major, minor) < AMPERE else "install a newer one"
    return f"this PyTorch has no code for cards of capability {major}.{minor}; {mend}"


def _runs(kind: str, major: int, minor: int) -> bool:
    """Return whether code of a kind ("sm_86", "compute_90a") runs on a card: binaries within a generation, PTX on all later."""
    form, _, number = kind.partition("_")
    for_major, for_minor = divmod(int("".join(filter(str.isdigit, number))), 10)
    if form == "sm":
        return major == for_major and minor >= for_minor
    return (major, minor) >= (for_major, for_minor)


def _mps_has_bf16() -> bool:
    """Return whether Apple's GPU takes bfloat16: from macOS 14 on."""
    return torch.backends.mps.is_available() and torch.backends.mps.is_macos_or_newer(14, 0)


def best_device() -> torch.device:
    """Return CUDA if there is a card that PyTorch was built for, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available() and not _obstacle_told():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@cache
def _obstacle_told() -> str:
    """Return `card_obstacle()`, and log it the first time: everything goes on, on the CPU."""
    if obstacle := card_obstacle():
        log.warning("the graphics card is not used: %s", obstacle)
    return obstacle


def cpu_has_bf16() -> bool:
    """Return whether the CPU multiplies bfloat16 itself (AVX-512 BF16 or AMX); emulation is slower than float32."""
    switch = bfloat16_switch()
    if switch is not None:
        return switch
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(device: torch.device) -> torch.autocast:
    """Return the autocast of training and evaluation; a no-op if the device computes in float32."""
    dtype = numerics_of(device).autocast
    return torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None)
