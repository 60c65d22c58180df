"""Which base model suits this machine: by its memory, its GPU, and whether the Hub can be reached."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from persona.config import Base, expand_home
from persona.errors import SettingsError, UserError

SCRATCH = "scratch"
GIB = float(1 << 30)
STEP = 3.0  # GiB that adapter, optimizer and one conversation's step take on top of the weights
CORES = 4  # a CPU with fewer takes days where a scratch base takes minutes
# Base models rather than instruct models, since they imitate better, of one family in sizes; billions of parameters.
FAMILY = (
    ("Qwen/Qwen3-8B-Base", 8.2),
    ("Qwen/Qwen3-4B-Base", 4.0),
    ("Qwen/Qwen3-1.7B-Base", 1.7),
    ("Qwen/Qwen3-0.6B-Base", 0.6),
)

RevisionOf = Callable[[str], str]  # the commit that a Hub id stands for now, "" where the Hub can't be asked


@dataclass(frozen=True, slots=True)
class Machine:
    """device: cuda, mps or cpu. memory: GiB free where a model would lie. cores: of the CPU."""

    device: str
    memory: float
    cores: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A base, and in a sentence why it."""

    base: Base
    why: str


def this_machine() -> Machine:
    """Describe this machine; imports torch."""
    from engine.numerics import best_device
    from trainer.loop.device_memory import free_bytes

    device = best_device()
    return Machine(device.type, free_bytes(device) / GIB, os.cpu_count() or 1)


def suggest(machine: Machine, revision_of: RevisionOf) -> Suggestion:
    """Return the largest model of the family that trains here unquantised, else a scratch base."""
    place = f"{'a GPU' if machine.device == 'cuda' else f'{machine.cores} cores'} with {machine.memory:.0f} GiB free"
    model = _largest(machine)
    if not model:
        return Suggestion(Base(), f"{place}: too little for a real base; one grown here has the manner, not the sense")
    if not (revision := revision_of(model)):
        return Suggestion(Base(), f"{place} would carry {model}, but the Hugging Face Hub can't be reached")
    patience = "" if machine.device == "cuda" else "; training takes hours, 'scratch' takes minutes"
    return Suggestion(Base(model=model, revision=revision), place + patience)


def _largest(machine: Machine) -> str:
    """Weights take two bytes each on a GPU, elsewhere four; on a CPU only the smallest is fast enough."""
    if machine.device == "cuda":
        return next((model for model, size in FAMILY if 2 * size + STEP <= machine.memory), "")
    model, size = FAMILY[-1]
    return model if machine.cores >= CORES and 4 * size + STEP <= machine.memory else ""


def named_base(text: str, root: Path, revision_of: RevisionOf) -> Base:
    """Return the base a user names: scratch, a folder, a Hub id, or a Hub id@revision. Raises UserError if the Hub knows none."""
    if not text.strip():
        raise SettingsError("--base names nothing; name 'scratch', a folder or a model, or leave it out")
    if text == SCRATCH or (root / expand_home(text)).is_dir():
        return Base(model=text)
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
        return str(HfApi(endpoint=endpoint).model_info(model, timeout=10).sha or "")
    except (HTTPError, HFValidationError, OSError):  # a refusal or no connection, no possible id, offline by choice
        return ""
