"""How a text file was saved, told by its beginning, and what readers get of it: UTF-8 with line feeds."""

import codecs
import io
import re
from typing import BinaryIO, cast

_LOOK_AT = 4096  # bytes
_MIN_ZEROS = 0.1  # share of zero bytes at every other place; Chinese text has them in its digits and line ends
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def wide_encoding(start: bytes) -> str:
    """Return the UTF-16 codec of a file that begins with `start`; empty if it is not.

    A byte order mark is not needed.
    """
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = start[: min(len(start), _LOOK_AT) // 2 * 2]
    zeros = start[0::2].count(0), start[1::2].count(0)
    if min(zeros) or max(zeros) * 2 < len(start) * _MIN_ZEROS or not start:
        return ""
    encoding = "utf-16-be" if zeros[0] else "utf-16-le"
    text = start.decode(encoding, "replace").encode("utf-8", "replace")
    return "" if _CONTROL.search(text) else encoding


def has_old_line_ends(start: bytes) -> bool:
    """Return whether lines end with a carriage return alone, as on old Macs."""
    return b"\r" in start and b"\n" not in start and not _CONTROL.search(start)


def as_utf8(start: bytes) -> bytes:
    """Return the beginning of a file as readers get it."""
    encoding = wide_encoding(start)
    if encoding:
        start = start.decode(encoding, "ignore").encode("utf-8", "replace")
    return start.replace(b"\r", b"\n") if has_old_line_ends(start) else start


def utf8_stream(stream: BinaryIO, start: bytes) -> BinaryIO:
    """`stream`, whose file begins with `start`, as readers get it."""
    encoding = wide_encoding(start)
    if encoding:
        stream = cast(BinaryIO, io.BufferedReader(_FromUtf16(stream, encoding)))
        start = start.decode(encoding, "ignore").encode("utf-8", "replace")
    return cast(BinaryIO, io.BufferedReader(_FromOldLines(stream))) if has_old_line_ends(start) else stream


class _Converted(io.RawIOBase):
    """Another stream, changed as it is read. It can only be read from its beginning."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only to the beginning")
        return self._stream.seek(0)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _FromOldLines(_Converted):
    """Carriage returns as line feeds."""

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk.replace(b"\r", b"\n")
        return len(chunk)


class _FromUtf16(_Converted):
    """UTF-16 as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        super().__init__(stream)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._decoder.reset()
        return super().seek(offset, whence)

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        text = ""
        while not text:
            chunk = self._stream.read(len(buffer) // 3)  # two bytes of UTF-16 are at most three of UTF-8
            text = self._decoder.decode(chunk, final=not chunk)
            if not chunk:
                break
        content = text.encode("utf-8", "replace")
        buffer[: len(content)] = content
        return len(content)
