"""A tree as readers get it: UTF-16 is decoded to UTF-8, damaged members raise UserError, and bytes read are counted."""

import io
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

from persona.errors import UserError
from trainer.sources.files.charset import utf8_stream
from trainer.sources.files.tree import HEAD, Tree
from trainer.sources.files.window import CHUNK


class WatchedTree(Tree):
    """A tree that reports the bytes of every read to on_bytes."""

    def __init__(self, tree: Tree, on_bytes: Callable[[int], None]) -> None:
        self.label = tree.label
        self._tree = tree
        self._on_bytes = on_bytes

    def names(self) -> list[str]:
        return self._tree.names()

    def size(self, name: str) -> int:
        return self._tree.size(name)

    def head(self, name: str) -> bytes:
        return self._tree.head(name)

    def open(self, name: str) -> BinaryIO:
        stream = io.BufferedReader(_Counted(self._tree.open(name), self._on_bytes, name), CHUNK)
        return utf8_stream(cast(BinaryIO, stream), stream.peek(HEAD)[:HEAD])


class _Counted(io.RawIOBase):
    def __init__(self, stream: BinaryIO, on_bytes: Callable[[int], None], name: str) -> None:
        self._stream = stream
        self._on_bytes = on_bytes
        self._name = name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        try:
            chunk = self._stream.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise UserError(f"{self._name} is damaged ({error}); download the export again") from error
        buffer[: len(chunk)] = chunk
        self._on_bytes(len(chunk))
        return len(chunk)

    def close(self) -> None:
        self._stream.close()
        super().close()
