"""A GGUF file's weights as an ordinary folder of safetensors, which can be trained on and served with an adapter."""

import contextlib
import fcntl
import hashlib
import logging
import math
import os
import re
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
from engine.gguf_header import GgufHeader, is_of_text
from engine.gguf_positions import complete_positions, require_unscaled
from engine.gguf_reader import ShortListsReader, short_lists
from engine.gguf_record import GgufRecord
from engine.gguf_sizes import complete_layers, complete_sizes
from engine.gguf_weights import no_place, write_weights, written_bytes
from engine.gguf_wholeness import whole_header
from persona.atomic import move_folder
from persona.config import Settings
from persona.errors import UserError, describe_os_error
from persona.out_of_memory import is_out_of_memory

Task = Callable[[str, float], AbstractContextManager[Callable[[float], None]]]  # of a bar: its name and total

log = logging.getLogger("alterego.engine")

_RUST = re.compile(r"\(os error (\d+)\)")


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
    if not _is_of(folder, file):
        _require_untampered(settings.base.model, file)
        with _told_of(file, folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _alone_in(folder.parent):
                _renew(folder, file, task)
    return folder


def _is_of(folder: Path, file: Path) -> bool:
    record = GgufRecord.kept_in(folder)
    return record is not None and record.modified == file.stat().st_mtime_ns


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process dequantises into `folder`. The lock ends with the process, however that ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("another process reads a GGUF file into %s: waiting for it", folder)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:  # a network's file system that can't lock a folder
            log.debug("no lock on %s: %s", folder, error)
        yield
    finally:
        os.close(handle)


def _renew(folder: Path, file: Path, task: Task) -> None:
    """Dequantise a file into a folder, unless it holds just that: another process was first, or the file is a copy."""
    if _is_of(folder, file):
        return
    record, kept = GgufRecord.of(file), GgufRecord.kept_in(folder)
    made_by_earlier_version = not kept and (folder / "config.json").is_file()
    if made_by_earlier_version or (kept and kept.sha256 == record.sha256):
        with contextlib.suppress(OSError):  # where nothing can be written, the content is compared each time
            record.keep_in(folder)
        return
    fresh = folder.with_name(f".{folder.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _dequantise(file, fresh, task)
        record.keep_in(fresh)
        shutil.rmtree(folder, ignore_errors=True)
        move_folder(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _dequantise(file: Path, folder: Path, task: Task) -> None:
    header = whole_header(file)
    with tempfile.TemporaryDirectory() as alone, short_lists():
        # From an empty folder and by its whole path: transformers would take other settings that lie beside it, or a file of its
        # name that lies where the command was called.
        AutoTokenizer.from_pretrained(alone, gguf_file=str(file.absolute())).save_pretrained(str(folder))
        config = AutoConfig.from_pretrained(alone, gguf_file=str(file.absolute()))
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
    with task(f"reading {file.name}", size) as advance:
        write_weights(reader, model, folder, advance)
    config.save_pretrained(str(folder))
    model.generation_config.save_pretrained(str(folder))
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
def _told_of(file: Path, folder: Path) -> Iterator[None]:
    """Say which file can't be read, or which folder can't be written: readers of binary files raise anything, struct.error and
    IndexError too, and libraries in Rust a text for what is an OSError here."""
    try:
        yield
    except (UserError, BrokenPipeError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:300]
        number = error.errno if isinstance(error, OSError) else int(found[1]) if (found := _RUST.search(reason)) else 0
        if number:  # what the machine refused is no fault of the file's
            place = getattr(error, "filename", None) or str(folder)
            refused = describe_os_error(OSError(number, os.strerror(number), place))
            raise UserError(f"{file.name} can't be dequantised: {refused}, then run the command again") from error
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
