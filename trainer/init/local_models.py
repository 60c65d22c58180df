"""Models that lie on this machine already: in the Hub's cache, in Ollama's and in LM Studio's folders."""

import json
import math
import os
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.base_source import is_gguf, is_instruct, is_part
from engine.gguf_header import is_of_text, read_header

MAX_HEADER = 64 << 20  # bytes of a safetensors header; larger ones are no headers
OLLAMA_MODEL, OLLAMA_TEMPLATE = (f"application/vnd.ollama.image.{kind}" for kind in ("model", "template"))
TEXT_AS_IT_IS = {"", "{{.Prompt}}"}  # Ollama's templates of models that were not trained to chat, without spaces
FILLED_IN = re.compile(
    r"\{\{if\.Suffix\}\}.*?\{\{else\}\}(.*?)\{\{end\}\}", re.DOTALL
)  # of models of code, chat or not
READ = {"llama", "qwen2", "qwen3", "qwen3moe", "qwen35", "gemma2", "gemma3", "phi3", "starcoder2", "lfm2"}


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model that is here. name: what people know it by. model, revision: as [base] names it. billions: of parameters.
    instruct: it was trained to assist. place: who put it here."""

    name: str
    model: str
    billions: float
    instruct: bool
    place: str
    revision: str = "main"


def local_models(home: Path, environment: Mapping[str, str] = os.environ) -> list[LocalModel]:
    """Return the causal language models of these folders, the largest first. home: the user's folder. What can't be read
    is left out."""
    found = [*_hub(home, environment), *_ollama(home, environment), *_lm_studio(home)]
    return sorted({model.model: model for model in found}.values(), key=lambda model: -model.billions)


def _hub(home: Path, environment: Mapping[str, str]) -> Iterator[LocalModel]:
    cache = environment.get("HF_HUB_CACHE") or str(
        Path(environment.get("HF_HOME") or home / ".cache" / "huggingface") / "hub"
    )
    for folder in _folders(Path(cache), "models--*"):
        name = folder.name.removeprefix("models--").replace("--", "/")
        for reference in sorted((folder / "refs").glob("main")):
            commit = reference.read_text(encoding="utf-8").strip()
            if model := _snapshot(folder / "snapshots" / commit, name, commit):
                yield model


def _snapshot(folder: Path, name: str, commit: str) -> LocalModel | None:
    config = _json(folder / "config.json")
    weights = sorted(folder.glob("*.safetensors"))
    writes_text = any(re.search("CausalLM|ConditionalGeneration", each) for each in config.get("architectures") or ())
    if not (weights and writes_text):
        return None
    template = (folder / "chat_template.jinja").is_file() or "chat_template" in _json(folder / "tokenizer_config.json")
    billions = sum(map(_parameters, weights)) / 1e9
    return LocalModel(name, name, billions, is_instruct(name, has_template=template), "the Hub's cache", commit)


def _parameters(file: Path) -> int:
    """Return how many numbers a safetensors file holds, by its header; 0 for no such file."""
    try:
        with file.open("rb") as data:
            (size,) = struct.unpack("<Q", data.read(8))
            header = json.loads(data.read(size)) if size <= MAX_HEADER else {}
    except (OSError, ValueError, struct.error):
        return 0
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def _ollama(home: Path, environment: Mapping[str, str]) -> Iterator[LocalModel]:
    named = environment.get("OLLAMA_MODELS")
    places = [Path(named)] if named else [home / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models")]
    for place in places:
        for manifest in _files(place / "manifests"):
            parts = _json(manifest)
            layers = [layer for layer in parts.get("layers") or () if isinstance(layer, dict)]
            blobs = {layer.get("mediaType"): _blob(place, layer) for layer in reversed(layers)}
            if (model := blobs.get(OLLAMA_MODEL)) and is_gguf(model):
                template = re.sub(r"[\s-]", "", _words(blobs.get(OLLAMA_TEMPLATE)))
                config = parts.get("config")
                renderer = _json(_blob(place, config)).get("renderer") if isinstance(config, dict) else ""
                chats = bool(renderer) or FILLED_IN.sub(r"\1", template) not in TEXT_AS_IT_IS
                yield from _gguf(model, f"{manifest.parent.name}:{manifest.name}", "Ollama", chats=chats)


def _blob(place: Path, layer: Mapping[str, object]) -> Path:
    return place / "blobs" / str(layer.get("digest", "")).replace(":", "-")


def _lm_studio(home: Path) -> Iterator[LocalModel]:
    for place in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        for file in _files(place):
            if file.suffix == ".gguf" and not is_part(file.name) and "mmproj" not in file.name and is_gguf(file):
                yield from _gguf(file, file.stem, "LM Studio")


def _gguf(file: Path, name: str, place: str, *, chats: bool = False) -> Iterator[LocalModel]:
    """Yield the model of a file, if it can be a base. chats: what lies beside the file says so."""
    try:
        header = read_header(file)
    except (OSError, ValueError, KeyError, struct.error):
        return
    if _writes_text(header.fields):
        count = sum(math.prod(shape) for weight, shape in header.shapes.items() if is_of_text(weight))
        instruct = is_instruct(name, has_template=chats or "tokenizer.chat_template" in header.fields)
        yield LocalModel(name, str(file), count / 1e9, instruct, place)


def _writes_text(fields: Mapping[str, object]) -> bool:
    """Return whether a file is a whole model of a family that was read back from GGUF as it is, and none that makes vectors of
    texts, of which Ollama's users have one for search."""
    family = fields.get("general.architecture")
    whole = fields.get("general.type", "model") == "model"  # an adapter is none
    return family in READ and whole and f"{family}.pooling_type" not in fields


def _folders(place: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in place.glob(pattern) if path.is_dir())
    except OSError:
        return []


def _files(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.rglob("*") if path.is_file())
    except OSError:
        return []


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(_words(file))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _words(file: Path | None) -> str:
    """Return the text of a file; "" for no file, and for one that can't be read."""
    try:
        return file.read_text(encoding="utf-8") if file else ""
    except (OSError, ValueError):
        return ""
