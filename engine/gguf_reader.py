"""The gguf package's reader without the tokenizer's lists, of which it makes an array for each token: twenty seconds and .7 GB
for Gemma's 262,000."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import gguf
import numpy as np
import numpy.typing as npt
from gguf import GGUFValueType

from engine.gguf_header import LIST, Cursor

# of a value: its size in bytes, arrays, which of these are values, and its types
Parts = tuple[int, list[npt.NDArray[Any]], list[int], list[GGUFValueType]]

LONGEST = 10_000  # values of a list that is read: more than any model has layers


class ShortListsReader(gguf.GGUFReader):  # type: ignore[misc]  # gguf has no types
    """A file's fields and weights; lists of more than LONGEST values are as long as they are, but of zeros."""

    def _get_field_parts(self, orig_offs: int, raw_type: int) -> Parts:
        if raw_type == LIST and self.byte_order == "I":
            cursor = Cursor(self.data.data, orig_offs)
            kind, count = cursor.list_head()
            if count > LONGEST:
                cursor.skip_list(kind, count)
                zero = np.zeros(1, np.uint8)
                return cursor.place - orig_offs, [zero], [0] * count, [GGUFValueType.ARRAY, GGUFValueType(kind)]
        parts: Parts = super()._get_field_parts(orig_offs, raw_type)
        return parts


@contextmanager
def short_lists() -> Iterator[None]:
    """Have transformers read by it, too, within the block. It builds its tokenizers by a reader of its own."""
    module, theirs = cast(Any, gguf), gguf.GGUFReader
    module.GGUFReader = ShortListsReader
    try:
        yield
    finally:
        module.GGUFReader = theirs
