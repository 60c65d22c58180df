"""The weights of a GGUF file under the names and in the shapes of transformers, written a few layers at a time.

A model of 8 billion weights is 5 GB in such a file and 32 GB once they are all float32, as transformers reads it.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, ReaderTensor
from safetensors.torch import save_file
from transformers import PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion
from transformers.modeling_gguf_pytorch_utils import TENSOR_PROCESSORS, TensorProcessor, get_gguf_hf_weights_map

from engine.gguf_header import is_of_text

FILE_BYTES = 1 << 30  # of one file of weights, if no layer is larger
_DTYPES = {GGMLQuantizationType.F32: torch.float32, GGMLQuantizationType.BF16: torch.bfloat16}
_LAYER = re.compile(r"blk\.\d+\.")


def written_bytes(reader: gguf.GGUFReader) -> int:
    """Return how many bytes the weights will take: two for each, or four where the file has four."""
    return sum(map(_bytes, _read(reader)))


def write_weights(
    reader: gguf.GGUFReader, model: PreTrainedModel, folder: Path, advance: Callable[[float], None]
) -> None:
    """Write the file's weights as safetensors that `model`'s class loads. model: of the file's shape; its own weights are not
    looked at and may be on the meta device. advance: called with bytes written, of `written_bytes`.

    Raises ValueError for weights that transformers has no place for: a model without them would be another."""
    architecture = str(reader.fields["general.architecture"].contents())
    processor = TENSOR_PROCESSORS.get(architecture, TensorProcessor)(config=model.config.to_dict())
    names = get_gguf_hf_weights_map(model, processor)
    files = list(_files(_read(reader)))
    places: dict[str, str] = {}
    for number, tensors in enumerate(files, 1):
        name = f"model-{number:05}-of-{len(files):05}.safetensors" if len(files) > 1 else "model.safetensors"
        weights = revert_weight_conversion(model, _weights(tensors, processor, names, advance))
        save_file(
            {key: weight.contiguous() for key, weight in weights.items()}, folder / name, metadata={"format": "pt"}
        )
        places |= dict.fromkeys(weights, name)
        weights.clear()  # not beside the next file's
    if len(files) > 1:
        index = {"metadata": {"total_size": written_bytes(reader)}, "weight_map": places}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1), encoding="utf-8")


def no_place(weight: str) -> str:
    """Return why a model is refused that would be read without one of its weights."""
    return f"transformers has no place for its weight {weight}"


def _read(reader: gguf.GGUFReader) -> list[ReaderTensor]:
    return [tensor for tensor in reader.tensors if is_of_text(tensor.name)]


def _files(tensors: Sequence[ReaderTensor]) -> Iterator[list[ReaderTensor]]:
    """Yield what goes into one file each. A layer is never cut: experts of one are merged or parted."""
    some: list[ReaderTensor] = []
    for _, layer in groupby(sorted(tensors, key=_layer), key=_layer):
        together = list(layer)
        if some and sum(map(_bytes, [*some, *together])) > FILE_BYTES:
            yield some
            some = []
        some += together
    yield some


def _layer(tensor: ReaderTensor) -> str:
    found = _LAYER.match(tensor.name)
    return found[0] if found else tensor.name


def _dtype(tensor: ReaderTensor) -> torch.dtype:
    return _DTYPES.get(tensor.tensor_type, torch.float16)


def _bytes(tensor: ReaderTensor) -> int:
    return int(tensor.n_elements) * _dtype(tensor).itemsize


def _weights(
    tensors: Sequence[ReaderTensor], processor: Any, names: dict[str, str], advance: Callable[[float], None]
) -> dict[str, torch.Tensor]:
    """Return what some tensors of the file are to transformers. Experts of a layer are put there by the processor."""
    read: dict[str, torch.Tensor] = {}
    for tensor in tensors:
        before = set(read)
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        done = processor.process(
            weights=values, name=tensor.name, tensor_key_mapping=names, parsed_parameters={"tensors": read}
        )
        if done.name in names:
            read[names[done.name]] = torch.from_numpy(np.require(done.weights, requirements=("C", "W")))
        elif done.name is not None:
            raise ValueError(no_place(tensor.name))
        for name in read.keys() - before:
            read[name] = read[name].to(_dtype(tensor))
        advance(_bytes(tensor))
    return read
