"""Which number formats a device computes in: decided here for training, evaluation and serving alike."""

from dataclasses import dataclass

import torch

from engine.cpu_precision import bfloat16_switch

AMPERE = (8, 0)  # the first CUDA capability that computes in bfloat16 and TF32; older cards only emulate bfloat16


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
    """Return the formats of a device: bfloat16 if it computes in it, float16 on CUDA cards before Ampere."""
    if device.type == "cuda":
        # not is_bf16_supported(), which is true of emulation
        is_ampere = torch.cuda.get_device_capability(device) >= AMPERE
        half = torch.bfloat16 if is_ampere else torch.float16
        return Numerics(half, half, half, half, tf32=is_ampere)
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


def _mps_has_bf16() -> bool:
    """Return whether Apple's GPU takes bfloat16: from macOS 14 on."""
    return torch.backends.mps.is_available() and torch.backends.mps.is_macos_or_newer(14, 0)


def best_device() -> torch.device:
    """Return CUDA if there is a card, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


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
