"""Records out of a file that holds one JSON object a line, or an array of them, in constant memory."""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, TypeVar

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Reject
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.json_walk import MAX_RECORD_BYTES
from trainer.sources.parsing.repair import mend_json, verbatim

Record = TypeVar("Record")


def array_or_lines(tree: Tree, name: str, record_type: type[Record]) -> Iterator[tuple[int, Record] | Reject]:
    """Yield the records of a member with their numbers; unreadable ones as Rejects."""
    number = 0
    records = _array if _begins(tree.head(name)) == b"[" else _lines
    for item in records(tree, name, record_type):
        if isinstance(item, Reject):
            yield item
        elif not isinstance(item, Opening):
            number += 1
            yield number, item


def _begins(start: bytes) -> bytes:
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def begins_as_json(start: bytes) -> bool:
    """Return whether a file that begins so may hold objects, one a line or in an array."""
    return _begins(start) in (b"[", b"{")


def _array(tree: Tree, name: str, record_type: type[Record]) -> Iterator[Record | Opening | Reject]:
    return iter(JsonRecords(partial(tree.open, name), name, "", record_type))


def _lines(tree: Tree, name: str, record_type: type[Record]) -> Iterator[Record | Reject]:
    decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(record_type, strict=False)
    with tree.open(name) as stream:
        offset = 0
        for line in iter(partial(stream.readline, MAX_RECORD_BYTES), b""):
            if len(line) >= MAX_RECORD_BYTES:
                yield Reject(
                    file=name,
                    offset=offset,
                    reason=f"a line of {MAX_RECORD_BYTES >> 20} MiB or more",
                    raw=verbatim(line[:1000]),
                )
                offset += _skip_line(stream)
            elif line.strip():
                match = _decoded(decoder, line.removeprefix(b"\xef\xbb\xbf"), name, offset)
                yield match
            offset += len(line)


def _skip_line(stream: BinaryIO) -> int:
    skipped = 0
    for piece in iter(partial(stream.readline, MAX_RECORD_BYTES), b""):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _decoded(decoder: "msgspec.json.Decoder[Record]", line: bytes, name: str, offset: int) -> Record | Reject:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return decoder.decode(mend_json(line))
    except (ValueError, RecursionError) as error:
        return Reject(file=name, offset=offset, reason=f"no readable record ({error})", raw=verbatim(line))
