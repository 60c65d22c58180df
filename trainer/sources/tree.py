"""Where an export's bytes lie: a file, a folder or a zip, seen alike."""

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from persona.fault import Fault

HEAD = 64 * 1024


class Tree(Protocol):
    """Named members that can be opened. label: how the user knows it."""

    @property
    def label(self) -> str: ...

    def names(self) -> list[str]: ...

    def size(self, name: str) -> int: ...

    def open(self, name: str) -> BinaryIO: ...


class FolderTree:
    """The files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.label = folder.name or str(folder)
        self._folder = folder

    def names(self) -> list[str]:
        return self._names

    @cached_property
    def _names(self) -> list[str]:
        found = (
            Path(where) / file
            for where, _, files in os.walk(self._folder)
            for file in files
            if not file.startswith(".")
        )
        return sorted(path.relative_to(self._folder).as_posix() for path in found if path.is_file())

    def size(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def open(self, name: str) -> BinaryIO:
        return (self._folder / name).open("rb")


class FileTree(FolderTree):
    """A single file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.label = path.name
        self._only = path.name

    def names(self) -> list[str]:
        return [self._only]


class ZipTree:
    """The members of a zip. source: a path, or a stream that can seek."""

    def __init__(self, source: Path | BinaryIO, label: str) -> None:
        self.label = label
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise Fault(f"{label} is no readable zip ({error}); download the export again") from error

    def names(self) -> list[str]:
        return [info.filename for info in self._zip.infolist() if not info.is_dir()]

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def open(self, name: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._zip.open(name))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # damaged, odd compression, encrypted
            raise Fault(f"{self.label}: {name} can't be unpacked ({error}); download the export again") from error


def head(tree: Tree, name: str) -> bytes:
    """The first 64 KiB of a member."""
    with tree.open(name) as stream:
        return stream.read(HEAD)


def trees(path: Path) -> Iterator[Tree]:
    """What `path` holds: itself, and the zips inside a folder. Raises Fault where there is nothing to read."""
    if not path.exists():
        raise Fault(f"there is no {path}; name the export's file, zip or folder")
    if path.is_dir():
        folder = FolderTree(path)
        yield folder
        yield from (ZipTree(path / name, name) for name in folder.names() if _is_zip(path / name))
    elif path.stat().st_size == 0:
        raise Fault(f"{path} is empty; export it again")
    elif _is_zip(path):
        yield ZipTree(path, path.name)
    else:
        yield FileTree(path)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


class WatchedTree:
    """A tree that tells how many bytes were read from it."""

    def __init__(self, tree: Tree, on_bytes: Callable[[int], None]) -> None:
        self._tree = tree
        self._on_bytes = on_bytes

    @property
    def label(self) -> str:
        return self._tree.label

    def names(self) -> list[str]:
        return self._tree.names()

    def size(self, name: str) -> int:
        return self._tree.size(name)

    def open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Counted(self._tree.open(name), self._on_bytes), 1 << 20))


class _Counted(io.RawIOBase):
    def __init__(self, stream: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self._stream = stream
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._on_bytes(len(chunk))
        return len(chunk)

    def close(self) -> None:
        self._stream.close()
        super().close()
