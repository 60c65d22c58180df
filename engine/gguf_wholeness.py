"""Whether a GGUF file is all there: its header tells where each weight lies, so how long the file is at least."""

import math
import struct
from pathlib import Path

import gguf
from gguf import GGMLQuantizationType

from engine.gguf_header import GgufHeader, StoredWeight, read_header
from persona.errors import UserError


def whole_header(file: Path) -> GgufHeader:
    """Read the header of a file. Raises UserError for one that is cut short, else as `read_header` does."""
    size = file.stat().st_size
    try:
        header = read_header(file)
        missing = _least_bytes(header) - size
    except struct.error:  # it ends within the header
        header, missing = None, 1
    if header is None or missing > 0:
        least = f"of at least {size + missing:,}, " if header else "within its header, "
        raise UserError(
            f"the GGUF file {file} can't be read: it is cut short, {size:,} bytes {least}as a broken download leaves it; "
            "download it again"
        )
    return header


def _least_bytes(header: GgufHeader) -> int:
    """Return how long the file is that the header describes, without what may be padded behind the last weight."""
    alignment = int(header.fields.get("general.alignment") or gguf.GGUF_DEFAULT_ALIGNMENT)
    start = math.ceil(header.length / alignment) * alignment
    return max((start + weight.place + _bytes(weight) for weight in header.weights.values()), default=header.length)


def _bytes(weight: StoredWeight) -> int:
    block, size = gguf.GGML_QUANT_SIZES[GGMLQuantizationType(weight.kind)]
    return math.prod(weight.shape) // int(block) * int(size)
