"""Where an export's bytes lie: a file, a folder or an archive, seen alike."""

import os
import re
import shutil
import weakref
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from persona.errors import UserError
from trainer.sources.files.archives import is_tar, is_zip, open_zip, temporary_folder, unpack_file, unpacked, unpacker
from trainer.sources.files.charset import as_utf8

HEAD = 64 * 1024
HEADS_KEPT = 32 << 20  # bytes of heads kept, so that a member is opened once and not once for each reader

# Pictures, sounds, films, documents, programs, fonts: most members of most archives, and never an export.
_MEDIA = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....(?:WEBP|WAVE|AVI )|....ftyp|OggS|ID3|\xff[\xf2-\xfb]|\x1aE\xdf\xa3|%PDF|\x7fELF"
    rb"|MZ|\0\0\x01\0|wOF[F2]|BM....\0\0\0\0|fLaC",
    re.DOTALL,
)

_HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX/)")  # what file managers add

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError)

Refuse = Callable[[str], None]  # told in a sentence what was not read, and why


class Tree(ABC):
    """Named members that can be opened. label: how the user knows it."""

    label: str

    @abstractmethod
    def names(self) -> list[str]:
        """Return all members, in a stable order."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes of a member, unpacked."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Return the bytes of a member. Raises UserError if they can't be unpacked."""

    def is_archive(self, name: str) -> bool:
        """Return whether a member is a tree of its own, which `trees` yields too."""
        return False

    @cached_property
    def _heads(self) -> "_Heads":
        return _Heads()

    def head(self, name: str) -> bytes:
        """Return the first 64 KiB of a member, as readers get it."""
        start = self._heads.get(name)
        if start is None:
            with self.open(name) as stream:
                start = stream.read(HEAD)
            start = as_utf8(start)[:HEAD]
            self._heads.keep(name, start)
        return start


class _Heads(dict[str, bytes]):
    """Heads already read, up to a size in memory."""

    room = HEADS_KEPT

    def keep(self, name: str, start: bytes) -> None:
        if self.room >= len(start):
            self.room -= len(start)
            self[name] = start


class FolderTree(Tree):
    """The files below a folder, except hidden ones and links that lead out of it."""

    def __init__(self, folder: Path, refuse: Refuse | None = None) -> None:
        self.label = folder.name or str(folder)
        self._folder = folder
        self._listed = sorted(self._walk(refuse)) if refuse else None

    def names(self) -> list[str]:
        return self._listed or []

    def _walk(self, refuse: Refuse) -> Iterator[str]:
        inside = self._folder.resolve()
        for where, folders, files in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for path in (Path(where, file) for file in files if not file.startswith(".")):
                if path.is_symlink() and not path.resolve().is_relative_to(inside):
                    refuse(f"{path} is a link that leads out of the folder; name what it leads to, to have it read")
                elif path.is_file():
                    yield path.relative_to(self._folder).as_posix()

    def size(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def open(self, name: str) -> BinaryIO:
        return (self._folder / name).open("rb")

    def is_archive(self, name: str) -> bool:
        return _is_archive(self._folder / name)


class FileTree(FolderTree):
    """A single file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.label = path.name
        self._listed = [path.name]


class ZipTree(Tree):
    """The members of a zip. Raises UserError if it is damaged or hostile."""

    def __init__(self, path: Path, label: str) -> None:
        self.label = label
        self._path = path
        self._zip = open_zip(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return ZipTree, (self._path, self.label)  # in another process it is opened anew

    def is_archive(self, name: str) -> bool:
        """Return the same; only of a zip that holds nothing else: what an export carries, somebody has sent in a chat."""
        return name in self._zips

    @cached_property
    def _zips(self) -> frozenset[str]:
        names = [name for name in self.names() if not _HIDDEN.search(name)]
        zips = all(name.lower().endswith(".zip") for name in names) and all(is_zip(self.head(name)) for name in names)
        return frozenset(names if zips else ())

    def names(self) -> list[str]:
        return [info.filename for info in self._zip.infolist() if not info.is_dir()]

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def open(self, name: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._zip.open(name))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # damaged, odd compression, encrypted
            raise UserError(f"{self.label}: {name} can't be unpacked ({error}); download the export again") from error


class TarTree(Tree):
    """The members of a tar, unpacked into a temporary folder that goes with this object: a tar can only be read from
    front to back. Raises UserError if it is damaged or hostile."""

    def __init__(self, path: Path, label: str) -> None:
        self.label = label
        folder = temporary_folder()
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)  # also when Python ends
        self._files = unpacked(path, folder, lambda start: not _MEDIA.match(start))

    def names(self) -> list[str]:
        return sorted(self._files)

    def size(self, name: str) -> int:
        return self._files[name].stat().st_size

    def open(self, name: str) -> BinaryIO:
        return self._files[name].open("rb")


class PackedFileTree(FolderTree):
    """One file that was packed by itself, such as `result.json.gz`, unpacked into a temporary folder that goes with this
    object. Raises UserError if it is damaged or hostile."""

    def __init__(self, path: Path, label: str, opens: Callable[[Path], IO[bytes]]) -> None:
        folder = temporary_folder()
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        super().__init__(folder)
        self.label = label
        name = path.name.rpartition(".")[0] or path.name
        unpack_file(path, opens, folder / name)
        self._listed = [name]


class InnerZipTree(ZipTree):
    """A zip that lies in another one, copied into a temporary folder that goes with this object."""

    def __init__(self, outer: ZipTree, name: str) -> None:
        folder = temporary_folder()
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        path = folder / (name.rpartition("/")[2] or "inner.zip")
        with outer.open(name) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        super().__init__(path, f"{outer.label}/{name}")

    def is_archive(self, name: str) -> bool:
        return False  # what lies deeper is told of, not opened


def head(tree: Tree, name: str) -> bytes:
    """Return the first 64 KiB of a member."""
    return tree.head(name)


def trees(path: Path, refuse: Refuse) -> Iterator[Tree]:
    """Yield what `path` holds: itself, and the archives inside a folder.

    refuse: told of what can't be read. Raises UserError if there is nothing at `path`.
    """
    if path.is_dir():
        folder = FolderTree(path, refuse)
        yield folder
        for name in folder.names():
            yield from _archive(path / name, name, refuse)
    elif not path.exists():
        raise UserError(f"there is no {path}; name the export's file, zip or folder")
    elif path.stat().st_size == 0:
        refuse(f"{path} is empty; export it again")
    elif _is_archive(path):
        yield from _archive(path, path.name, refuse)
    else:
        yield FileTree(path)


def readable(tree: Tree, refuse: Refuse) -> list[str]:
    """Return the members that can be opened and are neither empty nor media."""
    names: list[str] = []
    for name in tree.names():
        try:
            start = tree.head(name)
        except (UserError, OSError, *_DAMAGED) as error:
            refuse(str(error) if isinstance(error, UserError) else f"{tree.label}: {name} can't be read ({error})")
            continue
        if start and not _MEDIA.match(start):
            names.append(name)
    return names


def _archive(path: Path, label: str, refuse: Refuse) -> Iterator[Tree]:
    """Yield the tree in the archive at `path`, if it is one."""
    try:
        start = _start(path)
        if is_zip(start):
            outer = ZipTree(path, label)
            yield outer
            yield from _inner(outer, refuse)
        elif is_tar(path, start):
            yield TarTree(path, label)
        elif opens := unpacker(path, start):
            yield PackedFileTree(path, label, opens)
    except (UserError, OSError) as error:
        refuse(str(error))


def _inner(outer: ZipTree, refuse: Refuse) -> Iterator[Tree]:
    """Yield the zips of a zip that holds nothing else."""
    for name in outer.names():
        try:
            if outer.is_archive(name):
                yield InnerZipTree(outer, name)
        except (UserError, OSError, *_DAMAGED) as error:
            refuse(str(error) if isinstance(error, UserError) else f"{outer.label}: {name} can't be read ({error})")


def _is_archive(path: Path) -> bool:
    start = _start(path)
    return is_zip(start) or is_tar(path, start) or unpacker(path, start) is not None


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)
