"""Zips and tars from anywhere: opened or unpacked within bounds, and refused with a sentence where they are hostile."""

import bz2
import gzip
import lzma
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from persona.errors import UserError

MAX_MEMBERS = 250_000  # an X archive of ten years with all its pictures has a tenth of that
MAX_DIRECTORY_BYTES = 64 << 20  # bytes of a zip's directory, which has to be held in memory
MAX_RATIO = 300  # unpacked to packed; text packs 5:1, the same tweet over and over 50:1, a bomb 1000:1
SMALL = 64 << 20  # bytes unpacked that are harmless at any ratio

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)
_PACKED_FILES: dict[str, tuple[bytes, Any]] = {  # stickers are packed too, under other names
    ".gz": (b"\x1f\x8b", gzip.GzipFile),
    ".bz2": (b"BZh", bz2.BZ2File),
    ".xz": (b"\xfd7zXZ\0", lzma.LZMAFile),
}
_END = b"PK\x05\x06"  # end of central directory record, and the zip64 records before it: PKWARE's APPNOTE 4.3.14-16
_END64_AT = b"PK\x06\x07"


def is_zip(start: bytes) -> bool:
    """Return whether a file that begins so is a zip."""
    return start.startswith((b"PK\x03\x04", _END))


def is_tar(path: Path, start: bytes) -> bool:
    """Return whether a file that begins so is a tar, packed or not."""
    packed = start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"))
    try:
        return (packed or start[257:262] == b"ustar") and tarfile.is_tarfile(path)
    except _DAMAGED:
        return False


def unpacker(path: Path, start: bytes) -> Callable[[Path], IO[bytes]] | None:
    """Return what opens a single file that is packed by itself, such as `result.json.gz`; None for any other. start: how it
    begins."""
    opens: Callable[[Path], IO[bytes]]
    magic, opens = _PACKED_FILES.get(path.suffix.lower(), (b"", gzip.GzipFile))
    return opens if magic and start.startswith(magic) else None


def unpack_file(path: Path, opens: Callable[[Path], IO[bytes]], target: Path) -> None:
    """Unpack a file that was packed alone. Raises UserError if it is damaged or hostile."""
    size, packed = 0, path.stat().st_size
    try:
        with opens(path) as source, target.open("wb") as file:
            while chunk := source.read(1 << 20):
                size += file.write(chunk)
                _check_ratio(path, size, packed)
    except _DAMAGED as error:
        raise UserError(f"{path.name} can't be unpacked ({error}); download the export again, or make room") from error


def open_zip(path: Path) -> zipfile.ZipFile:
    """Return the zip at `path`. Raises UserError if it is damaged or hostile."""
    try:
        count, directory = _directory(path)
        if count > MAX_MEMBERS or directory > MAX_DIRECTORY_BYTES:
            raise UserError(
                f"{path.name} lists {count:,} members in {directory / 1e6:,.0f} MB; no export has so many, so it is not read"
            )
        archive = zipfile.ZipFile(path)
    except (*_DAMAGED, struct.error, ValueError) as error:
        raise UserError(f"{path.name} is no readable zip ({error}); download the export again") from error
    for info in archive.infolist():
        linked = info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16)
        _check_member(path, info.filename, linked)
        _check_ratio(path, info.file_size, info.compress_size)
    if sum(info.compress_size for info in archive.infolist()) > path.stat().st_size:
        raise UserError(f"{path.name} holds members that overlap, as bombs do; it is not read")
    return archive


def unpacked(path: Path, folder: Path, keep: Callable[[bytes], bool]) -> dict[str, Path]:
    """Unpack a tar's members into numbered files in `folder`; returns the file of each.

    keep: whether to unpack a member, by its first bytes. Raises UserError if the tar is damaged or hostile.
    """
    files: dict[str, Path] = {}
    size = path.stat().st_size
    count = total = 0
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # the stream is not read twice, so what it held need not stay in memory
                count, total = count + 1, total + member.size
                if count > MAX_MEMBERS:
                    raise UserError(
                        f"{path.name} has more than {MAX_MEMBERS:,} members; no export has, so it is not read"
                    )
                _check_member(path, member.name, not (member.isdir() or member.isreg()) or member.issparse())
                _check_ratio(path, total, size)
                if member.isreg() and (stream := archive.extractfile(member)):
                    start = stream.read(64)
                    if keep(start):
                        files[member.name] = _write(folder / str(count), start, stream)
    except _DAMAGED as error:
        raise UserError(f"{path.name} can't be unpacked ({error}); download the export again, or make room") from error
    return files


def temporary_folder() -> Path:
    """Return an empty folder that nobody else can read; the caller removes it."""
    return Path(tempfile.mkdtemp(prefix="alterego-"))


def _write(file: Path, start: bytes, stream: IO[bytes]) -> Path:
    with file.open("wb") as target:
        target.write(start)
        shutil.copyfileobj(stream, target, 1 << 20)
    return file


def _check_member(path: Path, name: str, special: bool) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name):
        raise UserError(
            f"{path.name} has a member that leads out of it ({name[:80]!r}); no export has, so it is not read"
        )
    if special:
        raise UserError(f"{path.name} has a link or a device in it ({name[:80]!r}); no export has, so it is not read")


def _check_ratio(path: Path, size: int, packed: int) -> None:
    if size > SMALL and size > MAX_RATIO * max(packed, 1):
        raise UserError(
            f"{path.name} would unpack {packed / 1e6:,.1f} MB to {size / 1e6:,.0f} MB, as bombs do; it is not read"
        )


def _directory(path: Path) -> tuple[int, int]:
    """Return the number of members and the bytes of a zip's directory.

    They stand at its end, and are read before Python holds the directory in memory.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 66_000))
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0:
            raise ValueError("its end is missing, so it is cut off")
        count, directory = struct.unpack_from("<HI", tail, at + 10)
        locator = tail.rfind(_END64_AT, 0, at)
        if locator < 0:
            return count, directory
        (end64,) = struct.unpack_from("<Q", tail, locator + 8)
        file.seek(min(end64, size))
        return struct.unpack_from("<QQ", file.read(56), 32)
