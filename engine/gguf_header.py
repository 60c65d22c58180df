"""The fields at the beginning of a GGUF file, up to the first list: its shape is told before the tokenizer's tokens are."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MAX_STRING = 1 << 20  # bytes of a name or a text: more is no header

Field = str | int | float | bool

_STRING, _LIST = 8, 9  # gguf's GGUFValueType
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


def header_fields(gguf: Path) -> dict[str, Field]:
    """Return the fields by their names. Those of the gguf package would have every token read. Raises OSError, ValueError,
    struct.error, KeyError."""
    with gguf.open("rb") as file:
        return dict(_fields(file))


def kv_bytes_per_token(gguf: Path) -> int:
    """Return the bytes that keys and values of one token take in 16 bits, over all layers; 0 if the header doesn't tell."""
    try:
        fields = header_fields(gguf)
    except (OSError, struct.error, KeyError, ValueError):
        return 0  # whoever loads the model will say what is wrong with it
    name = fields.get("general.architecture")
    layers, heads = fields.get(f"{name}.block_count"), fields.get(f"{name}.attention.head_count_kv")
    sizes = [fields.get(f"{name}.attention.{part}_length") for part in ("key", "value")]
    counts = [count for count in (layers, heads, *sizes) if isinstance(count, int)]
    return counts[0] * counts[1] * (counts[2] + counts[3]) * 2 if len(counts) == 4 else 0


def _fields(file: IO[bytes]) -> Iterator[tuple[str, Field]]:
    magic, _version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF":
        raise ValueError("no GGUF file")
    for _ in range(count):
        name, value_type = _string(file), int(_scalar(file, "<I"))
        if value_type == _LIST:
            return
        yield name, _string(file) if value_type == _STRING else _scalar(file, _SCALARS[value_type])


def _string(file: IO[bytes]) -> str:
    length = int(_scalar(file, "<Q"))
    if length > MAX_STRING:
        raise ValueError(f"a field of {length} bytes")
    return file.read(length).decode()


def _scalar(file: IO[bytes], form: str) -> int | float | bool:
    value: int | float | bool = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return value
