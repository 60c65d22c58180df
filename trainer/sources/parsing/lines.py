"""Lines and blocks out of a text of any size, in constant memory.

A block is a line that opens it, the header, and the lines that follow.
"""

import codecs
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Generic, TypeVar

from trainer.sources.files.tree import HEAD
from trainer.sources.message import Reject
from trainer.sources.parsing.repair import decode_text

LONGEST = 1 << 20  # bytes of a line, characters of a block: anything longer is not a message
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Header = TypeVar("Header")


@dataclass(frozen=True, slots=True)
class Block(Generic[Header]):
    """A header line and what follows it.

    offset: of the header, in bytes. lines: without line ends.
    """

    offset: int
    header: Header
    lines: list[str]


def text_lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield each line with its offset in bytes, split at \\n alone.

    Lines longer than LONGEST come in pieces. Old logs mix encodings line by
    line: a line that is not UTF-8 is read as Windows-1252.
    """
    start = stream.read(4)
    stream.seek(0)
    if start.startswith(_WIDE):
        yield from _wide_lines(stream)
        return
    offset = 0
    for raw in iter(partial(stream.readline, LONGEST), b""):
        yield offset, _decoded(raw).rstrip("\r\n")
        offset += len(raw)


def _wide_lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    text = io.TextIOWrapper(stream, "utf-16", errors="replace", newline="\n")
    offset = 2
    try:
        for line in iter(partial(text.readline, LONGEST), ""):
            yield offset, line.rstrip("\r\n")
            offset += 2 * len(line)
    finally:
        text.detach()


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig" if raw.startswith(codecs.BOM_UTF8) else "utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def head_lines(start: bytes) -> list[str]:
    """Return the complete lines of a member's first 64 KiB; none if it is not text."""
    if b"\0" in start[:4096] and not start.startswith(_WIDE):
        return []
    lines = [line.rstrip("\r") for line in decode_text(start).split("\n")]
    return lines[:-1] if len(start) >= HEAD else lines


def blocks(
    lines: Iterator[tuple[int, str]], file: str, opens: Callable[[str], Header | None]
) -> Iterator[Block[Header] | Reject]:
    """Yield the blocks of a text.

    opens: parses a line as a header; None if it is not one. Text before the
    first block, and blocks longer than LONGEST, come as Rejects.
    """
    current: Header | None = None
    start, size, body = 0, 0, list[str]()
    reason = "text before the first message"
    for offset, line in lines:
        header = opens(line)
        if header is not None:
            yield from _closed(file, start, current, body, reason)
            current, start, size, body = header, offset, 0, []
        elif size > LONGEST:
            reason = "too long for a message"
            yield from _closed(file, start, None, body, reason)
            current, start, size, body = None, offset, 0, []
        body.append(line)
        size += len(line) + 1
    yield from _closed(file, start, current, body, reason)


def _closed(
    file: str, start: int, header: Header | None, body: list[str], reason: str
) -> Iterator[Block[Header] | Reject]:
    while body and not body[-1].strip():
        body.pop()
    if header is not None:
        yield Block(start, header, body[1:])
    elif any(line.strip() for line in body):
        yield Reject(file=file, offset=start, reason=reason, raw="\n".join(body))
