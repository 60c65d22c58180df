"""Models that lie on this machine already: in the Hub's cache, in Ollama's and in LM Studio's folders."""

import json
import logging
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine.base_source import GGUF, is_instruct, is_part
from engine.gguf_header import is_of_text
from engine.gguf_wholeness import whole_header
from persona.events import Event
from trainer.base.checkpoint import count_parameters, is_language_model

log = logging.getLogger("alterego.init")

HUB = "the Hub's cache"
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


Candidate = partial[LocalModel | None]  # reads what may be a model


def local_models(home: Path, environment: Mapping[str, str] = os.environ) -> list[LocalModel]:
    """Return the causal language models of these folders, the largest first. home: the user's folder. What can't be read
    is left out."""
    candidates = (*_hub(home, environment), *_ollama(home, environment), *_lm_studio(home))
    models = {model.model: model for candidate in candidates if (model := _read(candidate))}
    return sorted(models.values(), key=lambda model: -model.billions)


def _read(candidate: Candidate) -> LocalModel | None:
    try:
        return candidate()
    except Exception as error:  # other programs' files: whatever is wrong with them, they are no models
        log.debug(Event("model left out", path=candidate.args[0], error=repr(error)))
        return None


def _hub(home: Path, environment: Mapping[str, str]) -> Iterator[Candidate]:
    caches = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    library = Path(environment.get("HF_HOME") or caches / "huggingface")
    cache = Path(environment.get("HF_HUB_CACHE") or library / "hub").expanduser()  # as huggingface_hub does
    for repository in _folders(cache, "models--*"):
        name = repository.name.removeprefix("models--").replace("--", "/")
        yield partial(_snapshot, repository, name)
        yield from _gguf_files(repository / "snapshots", HUB)


def _snapshot(repository: Path, name: str) -> LocalModel | None:
    commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    folder = repository / "snapshots" / commit
    if not is_language_model(_json(folder / "config.json")):
        return None
    settings = folder / "tokenizer_config.json"
    template = (folder / "chat_template.jinja").is_file() or (settings.is_file() and "chat_template" in _json(settings))
    instruct = is_instruct(name, has_template=template)
    return LocalModel(name, name, count_parameters(folder) / 1e9, instruct, HUB, commit)


def _ollama(home: Path, environment: Mapping[str, str]) -> Iterator[Candidate]:
    named = environment.get("OLLAMA_MODELS")
    places = [Path(named)] if named else [home / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models")]
    for place in places:
        for manifest in _files(place / "manifests"):
            yield partial(_pulled, manifest, place / "blobs")


def _pulled(manifest: Path, blobs: Path) -> LocalModel | None:
    """Return the model that Ollama pulled by this manifest."""

    def blob(layer: Mapping[str, str]) -> Path:
        return blobs / layer["digest"].replace(":", "-")

    parts = _json(manifest)
    layers = {layer["mediaType"]: blob(layer) for layer in reversed(parts["layers"])}
    if OLLAMA_MODEL not in layers:
        return None
    words = layers[OLLAMA_TEMPLATE].read_text(encoding="utf-8") if OLLAMA_TEMPLATE in layers else ""
    template = re.sub(r"[\s-]", "", words)
    renderer = _json(blob(parts["config"])).get("renderer")
    chats = bool(renderer) or FILLED_IN.sub(r"\1", template) not in TEXT_AS_IT_IS
    return _gguf(layers[OLLAMA_MODEL], f"{manifest.parent.name}:{manifest.name}", "Ollama", chats=chats)


def _lm_studio(home: Path) -> Iterator[Candidate]:
    for place in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        yield from _gguf_files(place, "LM Studio")


def _gguf_files(folder: Path, place: str) -> Iterator[Candidate]:
    files = {file.resolve(): file for file in _files(folder)}  # commits of the Hub link to the same ones
    for file in files.values():
        if file.suffix.lower() == GGUF and not is_part(file.name) and "mmproj" not in file.name.lower():
            yield partial(_gguf, file, file.stem, place)


def _gguf(file: Path, name: str, place: str, *, chats: bool = False) -> LocalModel | None:
    """Return the model of a file, if it can be a base. chats: what lies beside the file says so."""
    header = whole_header(file)
    if not _writes_text(header.fields):
        return None
    count = sum(math.prod(shape) for weight, shape in header.shapes.items() if is_of_text(weight))
    instruct = is_instruct(name, has_template=chats or "tokenizer.chat_template" in header.fields)
    return LocalModel(name, str(file), count / 1e9, instruct, place)


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


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
