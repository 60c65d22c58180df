"""Rows out of a CSV file of any size, in constant memory."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from trainer.sources.message import Reject
from trainer.sources.parsing.lines import head_lines

MAX_FIELD_CHARS = 1 << 20  # characters; a longer one is an unclosed quote
_CHUNK = 1 << 16


def csv_header(start: bytes) -> list[str]:
    """Return the column names in a member's head; none if it isn't CSV."""
    lines = head_lines(start)
    if not lines or len(lines[0]) > 4096:
        return []
    return _fields(lines[0].lstrip("\ufeff"))


def _fields(line: str) -> list[str]:
    try:
        return [field.strip() for field in next(csv.reader([line]))]
    except (csv.Error, StopIteration):
        return []


def csv_rows(stream: BinaryIO, file: str) -> Iterator[tuple[int, dict[str, str]] | Reject]:
    """Yield the offset (bytes) and fields by column name of every row after the header.

    Rows with too few or too many fields, and what an unclosed quote swallows, come as Rejects.
    """
    lines = _Lines(stream)
    csv.field_size_limit(MAX_FIELD_CHARS)
    names: list[str] = []
    rows = csv.reader(lines)
    while True:
        offset = lines.offset
        lines.taken.clear()
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject(file=file, offset=offset, reason=f"no readable row ({error})", raw="".join(lines.taken))
            rows = csv.reader(lines)
            continue
        if not names:
            names = [name.strip() for name in row]
        elif len(row) == len(names):
            yield offset, dict(zip(names, row, strict=True))
        elif row:
            reason = f"{len(row)} fields where the header names {len(names)}"
            yield Reject(file=file, offset=offset, reason=reason, raw="".join(lines.taken))


class _Lines:
    """The lines of a stream with their ends, as the csv module wants them. offset: bytes given out. taken: the lines
    given out since it was cleared."""

    def __init__(self, stream: BinaryIO) -> None:
        start = stream.read(4)
        stream.seek(0)
        wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
        self._narrow = not wide
        self._width = "utf-16-le" if wide else "utf-8"
        self._text = io.TextIOWrapper(stream, "utf-16" if wide else "utf-8-sig", errors="replace", newline="")
        self.offset = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_CHUNK)
        if not line:
            raise StopIteration
        self.offset += len(line) if line.isascii() and self._narrow else len(line.encode(self._width, "replace"))
        self.taken.append(line)
        return line
