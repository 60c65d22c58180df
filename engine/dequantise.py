"""A GGUF file's weights as an ordinary folder of safetensors, which can be trained on and served with an adapter."""

import contextlib
import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel
from transformers.integrations.gguf import GGUF_ARCHS

from engine.base_source import PACKAGED, dequantised_folder, gguf_file, is_folder, place_of
from engine.gguf_header import GgufHeader, is_of_text, read_header
from engine.gguf_positions import complete_positions, require_unscaled
from engine.gguf_reader import ShortListsReader, short_lists
from engine.gguf_sizes import complete_layers, complete_sizes
from engine.gguf_weights import no_place, write_weights, written_bytes
from persona.atomic import move_folder
from persona.config import Settings
from persona.errors import UserError
from persona.out_of_memory import is_out_of_memory

Task = Callable[[str, float], AbstractContextManager[Callable[[float], None]]]  # of a bar: its name and total


def located_base(settings: Settings, task: Task = lambda name, total: nullcontext(lambda steps: None)) -> Path | str:
    """Return the folder that holds the base, or its Hub id. A GGUF file is dequantised into a folder the first time, which
    `task` is told.

    Raises UserError for a file that can't be read, and for an architecture that transformers doesn't know.
    """
    file = gguf_file(settings)
    if file is None:
        place = place_of(settings.base.model, settings.root)
        return place if is_folder(place) else settings.base.model
    folder = dequantised_folder(settings, file)
    if not (folder / "config.json").is_file():
        _require_untampered(settings.base.model, file)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write(file, folder, task)
    return folder


def _write(file: Path, folder: Path, task: Task) -> None:
    fresh = folder.with_name(f".{folder.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _dequantise(file, fresh, task)
        shutil.rmtree(folder, ignore_errors=True)
        move_folder(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _dequantise(file: Path, folder: Path, task: Task) -> None:
    with _told_of(file), tempfile.TemporaryDirectory() as alone, short_lists():
        # From an empty folder and by its whole path: transformers would take other settings that lie beside it, or a file of its
        # name that lies where the command was called.
        AutoTokenizer.from_pretrained(alone, gguf_file=str(file.absolute())).save_pretrained(str(folder))
        config = AutoConfig.from_pretrained(alone, gguf_file=str(file.absolute()))
        header = read_header(file)
        if header.fields["general.architecture"] in GGUF_ARCHS:
            _convert(file, header, config, folder, task)
            return
        reader = ShortListsReader(file)
        complete_positions(config, reader)
        complete_sizes(config, header)
        complete_layers(config, reader)
        with torch.device("meta"):
            model = cast(PreTrainedModel, AutoModelForCausalLM.from_config(config))
    _require_room(file, folder.parent, size := written_bytes(reader))
    with _told_of(file), task(f"reading {file.name}", size) as advance:
        write_weights(reader, model, folder, advance)
    config.save_pretrained(str(folder))
    model.generation_config.save_pretrained(str(folder))
    with _told_of(file):
        again, info = AutoModelForCausalLM.from_pretrained(folder, device_map="meta", output_loading_info=True)
    _require_all(file, again, info)


def _convert(file: Path, header: GgufHeader, config: Any, folder: Path, task: Task) -> None:
    """Write the weights of one of the families that transformers reads from GGUF in another way than others, since 5.23: Qwen3.5
    and LFM2. All of them lie in memory meanwhile, in 2 bytes each."""
    require_unscaled(header)
    complete_sizes(config, header)
    size = 2 * sum(math.prod(shape) for weight, shape in header.shapes.items() if is_of_text(weight))
    _require_room(file, folder.parent, size)
    with task(f"reading {file.name}", size) as advance, tempfile.TemporaryDirectory() as alone:
        model, info = AutoModelForCausalLM.from_pretrained(
            alone,
            gguf_file=str(file.absolute()),
            config=config,
            dtype=torch.float16,
            quantization_config=GgufConfig(dequantize=True),
            output_loading_info=True,
        )
        _require_all(file, model, info)
        if strange := sorted(filter(is_of_text, info["unexpected_keys"])):
            raise ValueError(no_place(strange[0]))
        model.save_pretrained(str(folder))
        advance(size)


def _require_all(file: Path, model: PreTrainedModel, info: dict[str, Any]) -> None:
    """Refuse a model of which the file has not all weights. info: transformers' of its loading."""
    if missing := sorted(info["missing_keys"]):
        raise UserError(
            f"the GGUF file {file} lacks {len(missing)} weights of a {type(model).__name__}, {missing[0]} first, as transformers "
            "reads it: they would be random; choose the same model as a folder of safetensors"
        )


@contextlib.contextmanager
def _told_of(file: Path) -> Iterator[None]:
    """Say which file can't be read: readers of binary files raise anything, struct.error and IndexError too."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"the GGUF file {file} can't be read as a base ({reason}); choose a model of a family that transformers reads from "
            "GGUF (Llama, Qwen, Gemma, Mistral and others), or the same model as a folder of safetensors"
        ) from error


def _require_room(file: Path, folder: Path, size: int) -> None:
    if (free := shutil.disk_usage(folder).free) < size:
        raise UserError(
            f"the weights of {file} take {size / 1e9:.1f} GB once they are dequantised, and {folder} has {free / 1e9:.1f} GB "
            "left; make room there, or choose a smaller base"
        )


def _require_untampered(name: str, file: Path) -> None:
    model = PACKAGED.get(name)
    if model is None or file.name != model.file:
        return
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    if digest != model.sha256:
        raise UserError(f"{file} is not the file that {model.requirement} ships; install that package anew")
