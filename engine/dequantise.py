"""A GGUF file's weights as an ordinary folder of safetensors, which can be trained on and served with an adapter."""

import contextlib
import hashlib
import io
import shutil
from pathlib import Path
from typing import Any, cast

import gguf
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from engine.base_source import PACKAGED, dequantised_folder, gguf_file
from engine.gguf_positions import complete_positions
from persona.atomic import move_folder
from persona.config import Settings
from persona.errors import UserError


def located_base(settings: Settings) -> Path | str:
    """Return the folder that holds the base, or its Hub id. A GGUF file is dequantised into a folder the first time.

    Raises UserError for a file that can't be read, and for an architecture that transformers doesn't know.
    """
    file = gguf_file(settings)
    if file is None:
        local = settings.root / settings.base.model
        return local if local.is_dir() else settings.base.model
    folder = dequantised_folder(settings, file)
    if not (folder / "config.json").is_file():
        _require_untampered(settings.base.model, file)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write(file, folder)
    return folder


def _write(file: Path, folder: Path) -> None:
    fresh = folder.with_name(f".{folder.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        model, tokenizer = _read(file)
        model.save_pretrained(fresh)
        tokenizer.save_pretrained(str(fresh))
        shutil.rmtree(folder, ignore_errors=True)
        move_folder(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _read(file: Path) -> tuple[PreTrainedModel, Any]:
    place, name = str(file.parent), file.name
    try:
        config, reader = AutoConfig.from_pretrained(place, gguf_file=name), gguf.GGUFReader(file)
        complete_positions(config, reader)
        if (size := _head_size(reader)) and getattr(config, "head_dim", size) != size:
            config.head_dim = size  # transformers 5.23 leaves Qwen3's at 128, whatever the file says
        with contextlib.redirect_stderr(io.StringIO()):  # a bar of its own that no switch of transformers takes away
            read, info = AutoModelForCausalLM.from_pretrained(
                place, config=config, gguf_file=name, dtype=torch.float32, output_loading_info=True
            )
        tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=name)
    except Exception as error:  # readers of binary files raise anything: struct.error, IndexError, UnicodeDecodeError
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"the GGUF file {file} can't be read as a base ({reason}); choose a model of a family that transformers reads from "
            "GGUF (Llama, Qwen, Gemma, Mistral and others), or the same model as a folder of safetensors"
        ) from error
    if missing := sorted(info["missing_keys"]):
        raise UserError(
            f"the GGUF file {file} lacks {len(missing)} weights of a {type(read).__name__}, {missing[0]} first, as transformers "
            "reads it: they would be random; choose the same model as a folder of safetensors"
        )
    # A model read from GGUF calls itself quantised and can't be saved: its weights go into a fresh one of its config.
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config._name_or_path = ""
    fresh = cast(PreTrainedModel, AutoModelForCausalLM.from_config(config, dtype=torch.float32))
    fresh.load_state_dict(read.state_dict())
    fresh.generation_config = read.generation_config
    return fresh, tokenizer


def _head_size(reader: gguf.GGUFReader) -> int | None:
    key_length = next((field for name, field in reader.fields.items() if name.endswith(".attention.key_length")), None)
    return int(key_length.contents()) if key_length else None


def _require_untampered(name: str, file: Path) -> None:
    model = PACKAGED.get(name)
    if model is None or file.name != model.file:
        return
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    if digest != model.sha256:
        raise UserError(f"{file} is not the file that {model.requirement} ships; install that package anew")
