"""Which base model suits this machine: by its memory, its GPU, and whether the Hub can be reached."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.base_source import INSTRUCT, PACKAGED, is_gguf, place_of
from persona.config import Base
from persona.errors import SettingsError, UserError
from trainer.base.reachability import HUB_SECONDS, impossible_base, is_model_folder
from trainer.init.known_bases import KNOWN_BASES, QWEN3, KnownBase
from trainer.init.local_models import LocalModel

SCRATCH = "scratch"
GIB = float(1 << 30)
STEP = 3.0  # GiB that adapter, optimizer and one conversation's step take on top of the weights
BYTES, BYTES_4BIT = {"cuda": 2.0, "mps": 2.0, "cpu": 4.0}, 0.7  # a parameter of the base, while an adapter is trained
BYTES_FLOAT32 = 4.0  # of bases that overflow in float16
OVERFLOWING = re.compile("gemma-?3")  # in float16: by name in the Hub, Ollama and LM Studio, 3n too
LARGER = 1.5  # times the parameters that a 4-bit base must have to be worth its rounding
TRAINED_TOKENS = 200_000  # three epochs of about a thousand messages and what was said before them
FLOPS_PER_WEIGHT = 4.0  # a token: forward and backward of a base whose own weights get no gradient
LAYERS_SHARE = 0.5  # of that speed that a training reaches: SmolLM2-135M with AVX2, .7 in its steps, the rest evaluates
MAX_HOURS = 8.0  # of training on a CPU: a night
TOY = 0.1  # billions of parameters: a base with fewer is suggested to nobody, though they may choose it
FAMILY = QWEN3[1:]  # what is suggested; the largest is for those who ask for it

RevisionOf = Callable[[str], str]  # the commit that a Hub id stands for now, "" where the Hub can't be asked


@dataclass(frozen=True, slots=True)
class Machine:
    """device: cuda, mps or cpu. memory: GiB free where a model would lie. cores: of the CPU. gflops: billions of operations
    a second in a base's layers, forward and backward. float16: it computes in that, as cards before Ampere do."""

    device: str
    memory: float
    cores: int
    gflops: float
    float16: bool = False

    def hours(self, billions: float) -> float:
        """Return how long an adapter for about a thousand messages takes to train on a base of so many parameters."""
        return FLOPS_PER_WEIGHT * billions * TRAINED_TOKENS / (LAYERS_SHARE * self.gflops) / 3600

    def carries(self, model: str, billions: float) -> bool:
        """Return whether there is room for a base and what its training needs."""
        wide = self.float16 and OVERFLOWING.search(model.casefold())
        return (BYTES_FLOAT32 if wide else BYTES[self.device]) * billions + STEP <= self.memory

    def quantize(self, model: str, billions: float) -> Literal["none", "4bit"] | None:
        """Return how a base of so many parameters trains here; None if it doesn't."""
        if self.carries(model, billions):
            return "none" if self.device == "cuda" or self.hours(billions) <= MAX_HOURS else None
        return "4bit" if self.device == "cuda" and BYTES_4BIT * billions + STEP <= self.memory else None

    def training(self, model: str, billions: float) -> str:
        """Return in words how a base of so many parameters trains here."""
        quantize = self.quantize(model, billions)
        if quantize is None:
            return f"{self.hours(billions):.0f} hours" if self.carries(model, billions) else "too large"
        if self.device == "cuda":
            return "in 4 bits" if quantize == "4bit" else "whole"
        return _duration(self.hours(billions))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A base, and in a sentence why it."""

    base: Base
    why: str


def this_machine() -> Machine:
    """Describe this machine; imports torch."""
    import torch

    from engine.numerics import best_device, numerics_of
    from trainer.init.speed import training_gflops
    from trainer.loop.device_memory import free_bytes

    device = best_device()
    halved = numerics_of(device).weights == torch.float16
    return Machine(device.type, free_bytes(device) / GIB, os.cpu_count() or 1, training_gflops(device), halved)


def suggest(machine: Machine, revision_of: RevisionOf, local: Sequence[LocalModel] = ()) -> Suggestion:
    """Return the largest base model that is here and trains here, else the largest of the family on the Hub, else an
    instruct model that is here, else a scratch base."""
    place = f"{'a GPU' if machine.device == 'cuda' else f'{machine.cores} cores'} with {machine.memory:.0f} GiB free"
    fitting = [model for model in local if model.billions >= TOY and machine.quantize(model.name, model.billions)]
    if bases := [model for model in fitting if not model.instruct]:
        return _here(bases[0], machine, f"{place}; {bases[0].name} is in {bases[0].place} already")
    model, billions = _largest(machine)
    revision = revision_of(model) if model else ""
    if not revision and fitting:
        why = f"{place}; {fitting[0].name} is in {fitting[0].place} already, but {INSTRUCT}"
        return _here(fitting[0], machine, why)
    if not model:
        return Suggestion(Base(), f"{place}: too little for a real base; one grown here has the manner, not the sense")
    if not revision:
        return Suggestion(Base(), f"{place} would carry {model}, but the Hugging Face Hub can't be reached")
    base = Base(model=model, revision=revision, quantize=machine.quantize(model, billions) or "none")
    return Suggestion(base, place + _patience(machine, billions))


def _here(model: LocalModel, machine: Machine, why: str) -> Suggestion:
    quantize = machine.quantize(model.name, model.billions) or "none"
    base = Base(model=model.model, revision=model.revision, quantize=quantize)
    return Suggestion(base, why + _patience(machine, model.billions))


def _patience(machine: Machine, billions: float) -> str:
    if machine.device == "cuda":
        return ""
    return f"; a thousand messages train in about {_duration(machine.hours(billions))}"


def _duration(hours: float) -> str:
    return f"{hours:.0f} hours" if hours > 1.5 else f"{max(1, round(hours * 60))} minutes"


def base_rows(machine: Machine) -> list[tuple[KnownBase, str]]:
    """Return every known base, the largest first, with how it trains on this machine."""
    return [(base, machine.training(base.model, base.billions)) for base in KNOWN_BASES]


def _largest(machine: Machine) -> tuple[str, float]:
    """Return the model of the family that trains here, and its billions of parameters; in 4 bits only if that makes it
    much larger. ("", 0) if none does."""
    plain, rounded = (
        next(
            ((base.model, base.billions) for base in FAMILY if machine.quantize(base.model, base.billions) == way),
            ("", 0.0),
        )
        for way in ("none", "4bit")
    )
    return rounded if rounded[1] > LARGER * plain[1] else plain


def named_base(text: str, root: Path, revision_of: RevisionOf) -> Base:
    """Return the base a user names: scratch, a folder, a GGUF file, a package's model, a Hub id, or a Hub id@revision. Raises
    UserError if the Hub knows none."""
    if not text.strip():
        raise SettingsError("--base names nothing; name 'scratch', a folder or a model, or leave it out")
    place = place_of(text, root)
    if text == SCRATCH or text in PACKAGED or is_gguf(place) or is_model_folder(place):
        return Base(model=text)
    if fault := impossible_base(text):
        raise SettingsError(fault)
    model, _, revision = text.partition("@")
    if not (revision or (revision := revision_of(model))):
        raise UserError(
            f"there is no folder {model}, and the Hugging Face Hub can't be asked for a model of that name; look at the "
            f"spelling and the network, add @REVISION to take it unasked, or take 'scratch'"
        )
    return Base(model=model, revision=revision)


def revision_of(model: str, endpoint: str | None = None) -> str:
    """Return the commit of `model` on the Hub; "" if the Hub can't be reached or has no such model."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, HTTPError

    try:
        return str(HfApi(endpoint=endpoint).model_info(model, timeout=HUB_SECONDS).sha or "")
    except (HTTPError, HFValidationError, OSError):  # a refusal or no connection, no possible id, offline by choice
        return ""
