"""What the beginning of a GGUF file tells of its model: fields and shapes, without the weights and the tokenizer's lists."""

import mmap
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_ITEMS = 10_000_000  # of a list, of fields or of tensors

# positions, which the config has; what sees and hears, and guesses further ahead, which Ollama keeps in the same file
_NO_TEXT = re.compile(r"^(rope_|v\.|mm\.|a\.|mtp\.)|\.attn_rot_embd\.")

Field = str | int | float | bool

_STRING, LIST = 8, 9  # gguf's GGUFValueType
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


@dataclass(frozen=True, slots=True)
class StoredWeight:
    """shape: innermost dimension first. kind: gguf's of its numbers. place: where they begin, counted from the first's."""

    shape: tuple[int, ...]
    kind: int
    place: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """fields: by their names, None for a list. weights: by their names. length: of the header, in bytes."""

    fields: Mapping[str, Field | None]
    weights: Mapping[str, StoredWeight]
    length: int = 0

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The weights' shapes by their names, innermost dimension first."""
        return {name: weight.shape for name, weight in self.weights.items()}


def read_header(gguf: Path) -> GgufHeader:
    """Read a file's header. Raises OSError, ValueError, struct.error, KeyError if it is none."""
    with gguf.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cursor = Cursor(data)
        magic, _version, tensors, fields = cursor.take("<4sIQQ")
        if magic != b"GGUF" or max(tensors, fields) > MAX_ITEMS:
            raise ValueError("no GGUF file")
        named = {cursor.string(): cursor.value(cursor.number("<I")) for _ in range(fields)}
        weights = {cursor.string(): cursor.weight() for _ in range(tensors)}
        return GgufHeader(named, weights, cursor.place)


def is_of_text(weight: str) -> bool:
    """Return whether a weight, by its name, belongs to the model that reads and writes text."""
    return not _NO_TEXT.search(weight)


def kv_bytes_per_token(gguf: Path) -> int:
    """Return the bytes that keys and values of one token take in 16 bits, over all layers; 0 if the header doesn't tell."""
    try:
        fields = read_header(gguf).fields
    except (OSError, struct.error, KeyError, ValueError):
        return 0  # whoever loads the model will say what is wrong with it
    name = fields.get("general.architecture")
    layers, heads = fields.get(f"{name}.block_count"), fields.get(f"{name}.attention.head_count_kv")
    sizes = [fields.get(f"{name}.attention.{part}_length") for part in ("key", "value")]
    counts = [count for count in (layers, heads, *sizes) if isinstance(count, int)]
    return counts[0] * counts[1] * (counts[2] + counts[3]) * 2 if len(counts) == 4 else 0


class Cursor:
    """Reads one value after the other. place: where the next begins, in bytes."""

    def __init__(self, data: mmap.mmap | memoryview, place: int = 0) -> None:
        self._data = data
        self.place = place

    def take(self, form: str) -> tuple[Any, ...]:
        """Return what stands here, in struct's form."""
        values = struct.unpack_from(form, self._data, self.place)
        self.place += struct.calcsize(form)
        return values

    def number(self, form: str) -> int:
        """Return a number."""
        return int(self.take(form)[0])

    def string(self) -> str:
        """Return a text."""
        return bytes(self.take(f"{self._length()}s")[0]).decode()

    def value(self, kind: int) -> Field | None:
        """Return a value, None for a list. kind: gguf's of it."""
        if kind == LIST:
            self.skip_list(*self.list_head())
            return None
        if kind == _STRING:
            return self.string()
        scalar: Field = self.take(_SCALARS[kind])[0]
        return scalar

    def weight(self) -> StoredWeight:
        """Return what is told of a weight behind its name."""
        shape = self.take(f"<{self.number('<I')}Q")
        return StoredWeight(shape, *self.take("<IQ"))

    def list_head(self) -> tuple[int, int]:
        """Return the kind of a list's values, and how many there are."""
        kind, count = self.take("<IQ")
        return kind, count

    def skip_list(self, kind: int, count: int) -> None:
        """Go to the end of a list. Raises ValueError for one that no file has."""
        if count > MAX_ITEMS:
            raise ValueError(f"a list of {count} values")
        if kind != _STRING:
            self.place += count * struct.calcsize(_SCALARS[kind])
            return
        for _ in range(count):
            length = self._length()  # which moves the place itself
            self.place += length

    def _length(self) -> int:
        length = self.number("<Q")
        if length > len(self._data):
            raise ValueError(f"a text of {length} bytes")
        return length
