"""Records out of a JSON array of any size, in constant memory: a scan over the exporter's own indentation with typed
decoding, many records at a time, and a walk over brackets for any other layout."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Generic, TypeVar, cast

import msgspec

from trainer.sources.files.window import ByteWindow
from trainer.sources.message import Reject
from trainer.sources.parsing.json_walk import (
    MAX_RECORD_BYTES,
    JsonElement,
    Opening,
    Stop,
    complete_fields,
    elements,
    walk,
)
from trainer.sources.parsing.repair import mend_escapes, mend_json, verbatim, without_nulls

__all__ = ["JsonRecords", "Opening"]

MAX_HEAD_BYTES = 64 << 10  # bytes kept of what stands before an array

_CUT = re.compile(rb"\s*,?[\s{]*")

Record = TypeVar("Record")


class _Irregular(Exception):
    """The text isn't laid out as the scan expects."""


class JsonRecords(Generic[Record]):
    """The records of every array called `key` ("" is the file's own) in what `reopen` opens, decoded as `record_type`.

    needs: a field of the object around the array without which its records can't be understood; where it stands
    behind them, the file is read twice. in_object: they are the values of an object, not an array.
    """

    def __init__(
        self,
        reopen: Callable[[], BinaryIO],
        file: str,
        key: str,
        record_type: type[Record],
        needs: str = "",
        in_object: bool = False,
    ) -> None:
        self._reopen = reopen
        self._file = file
        self._key = key
        self._record_type = record_type
        self._needs = needs
        self._bracket = b"{" if in_object else b"["
        self._decoder = msgspec.json.Decoder(record_type, strict=False)
        self._batches = msgspec.json.Decoder(list[record_type], strict=False)  # type: ignore[valid-type]
        name = rb'(?:\A|\n)([ \t]*)"%s"\s*:\s*' % re.escape(key.encode()) if key else rb"\A([^\[{]{0,99}?[ \t]*)"
        self._opener = re.compile(name + rb"\[(\r?\n[ \t]+|[ ](?=\{\r?\n))\{")
        self._any_opener = re.compile(rb'"%s"\s*:\s*\[\s*[^\s\]]' % re.escape(key.encode())) if key else None

    def __iter__(self) -> Iterator[Opening | Record | Reject]:
        """Yield openings, each followed by its records.

        A record that can't be read, and the tail of a file that was cut, come as Rejects.
        """
        complete: list[dict[str, Any]] | None = None
        openings = 0
        for batch in self._batched():
            if isinstance(opening := batch[0] if batch else None, Opening):  # an opening comes alone
                if self._needs and self._needs not in opening.fields:
                    complete = self._complete() if complete is None else complete
                    batch = [Opening(complete[openings], opening.name)] if openings < len(complete) else batch
                openings += 1
            yield from batch

    def _batched(self) -> Iterator[list[Opening | Record | Reject]]:
        if self._bracket == b"{":
            yield from ([item] for item in self._walked())
            return
        openings = seen = 0
        try:
            for batch in self._scanned():
                yield batch
                opened = bool(batch) and isinstance(batch[0], Opening)
                openings += opened
                seen += len(batch) - opened
        except _Irregular:
            for item in self._walked():
                if isinstance(item, Opening):
                    openings -= 1
                    if openings < 0:
                        yield [item]
                elif (seen := seen - 1) < 0:
                    yield [item]

    def _complete(self) -> list[dict[str, Any]]:
        with self._reopen() as stream:
            return complete_fields(ByteWindow(stream), self._key, self._bracket)

    def _scanned(self) -> Iterator[list[Opening | Record | Reject]]:
        with self._reopen() as stream:
            window = ByteWindow(stream)
            arrays = 0
            while array := self._next_array(window):
                arrays += 1
                yield [Opening(array.fields)]
                yield from self._array(window, array)
                if not self._key:
                    return
            if not arrays:
                raise _Irregular

    def _next_array(self, window: ByteWindow) -> "_Array | None":
        """Move to the brace of the next array's first record.

        Raises _Irregular if one is laid out in another way.
        """
        while not (match := self._opener.search(window.text, window.at)):
            self._refuse_others(window, len(window.text))
            window.at = max(window.at, len(window.text) - MAX_HEAD_BYTES)
            if not window.more():
                return None
        self._refuse_others(window, match.start())
        indent = match[1] if self._key else b""
        fields = _fields_before(window.text[window.at : match.start()], len(indent)) if self._key else {}
        window.at = match.end() - 1
        if match[2] == b" ":  # `[ {`, then `}, {` at the indentation of the key
            return _Array(b"\n%b}" % indent, b", ", fields)
        return _Array(match[2] + b"}", b"," + match[2], fields)

    def _refuse_others(self, window: ByteWindow, stop: int) -> None:
        if self._any_opener and self._any_opener.search(window.text, window.at, stop):
            raise _Irregular

    def _array(self, window: ByteWindow, array: "_Array") -> Iterator[list[Opening | Record | Reject]]:
        """Yield the records from `window` on, as many at a time as are in view. What lies between two of them has a raw
        line break in it, which no JSON string can hold."""
        between = array.close + array.gap + b"{"
        while True:
            last = window.text.rfind(between, window.at)
            stop = last + len(array.close)
            batch = self._batch(window, stop) if last >= 0 else None
            if batch is None and (end := window.array_end(array.close)) >= 0:
                yield self._batch(window, end) or self._last(window, array, end)
                window.at = end
                return
            if last >= 0:
                yield batch or self._singly(window, array, stop)
                window.at = stop + len(array.gap)
            elif len(window.text) - window.at > MAX_RECORD_BYTES:
                raise _Irregular
            elif not window.more():
                yield from self._tail(window)
                return

    def _batch(self, window: ByteWindow, stop: int) -> list[Opening | Record | Reject] | None:
        """Decode the records up to `stop` at once; None if one is damaged or the array ends."""
        whole = b"".join((b"[", memoryview(window.text)[window.at : stop], b"]"))
        for text in (whole, mend_escapes(whole)) if b"\\x" in whole else (whole,):
            try:
                return cast(list[Opening | Record | Reject], self._batches.decode(text))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
        return None

    def _singly(self, window: ByteWindow, array: "_Array", stop: int) -> list[Opening | Record | Reject]:
        """Return the records up to `stop`, one by one."""
        singles: list[Opening | Record | Reject] = []
        start = window.at
        while start < stop:
            following = window.text.find(array.close + array.gap + b"{", start, stop)
            end = stop if following < 0 else following + len(array.close)
            singles.append(self._decoded(window.text[start:end], window.offset + start - window.at))
            start = end + len(array.gap)
        return singles

    def _last(self, window: ByteWindow, array: "_Array", stop: int) -> list[Opening | Record | Reject]:
        """Decode the records up to what looks like the array's end.

        Raises _Irregular if it is the end of another array.
        """
        records = self._singly(window, array, stop)
        if any(isinstance(record, Reject) for record in records) and self._is_whole():
            raise _Irregular
        return records

    def _is_whole(self) -> bool:
        """Return whether the brackets of the file close."""
        with self._reopen() as stream:
            return not any(isinstance(piece, Stop) for piece in walk(ByteWindow(stream), self._key))

    def _tail(self, window: ByteWindow) -> Iterator[list[Opening | Record | Reject]]:
        """Read what is left if no more record ends as the others do: irregular, or cut."""
        for piece in elements(window):
            if isinstance(piece, JsonElement):
                yield [self._decoded(piece.text, piece.offset)]
            else:
                rest = window.text[window.at :]
                yield [self._cut(b"" if _CUT.fullmatch(rest) else rest, piece.offset)]

    def _decoded(self, record: bytes, offset: int) -> Record | Reject:
        try:
            return self._decoder.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._mended(record, offset)

    def _mended(self, record: bytes, offset: int) -> Record | Reject:
        try:
            return self._decoder.decode(mend_json(record))
        except msgspec.ValidationError as error:
            return self._without_nulls(record, offset, error)
        except (ValueError, msgspec.DecodeError, RecursionError) as error:
            return Reject(file=self._file, offset=offset, reason=f"no readable record ({error})", raw=verbatim(record))

    def _without_nulls(self, record: bytes, offset: int, error: Exception) -> Record | Reject:
        """Read a record in which null stands for what is not there."""
        try:
            return msgspec.convert(
                without_nulls(msgspec.json.decode(mend_json(record))), self._record_type, strict=False
            )
        except (ValueError, RecursionError):
            return Reject(file=self._file, offset=offset, reason=f"no readable record ({error})", raw=verbatim(record))

    def _cut(self, rest: bytes, offset: int) -> Reject:
        return Reject(file=self._file, offset=offset, reason="the file is cut off here", raw=verbatim(rest))

    def _walked(self) -> Iterator[Opening | Record | Reject]:
        """Yield the same for any layout of JSON."""
        with self._reopen() as stream:
            for piece in walk(ByteWindow(stream), self._key, self._bracket):
                match piece:
                    case Opening():
                        yield piece
                    case JsonElement():
                        yield self._decoded(piece.text, piece.offset)
                    case Stop():
                        yield Reject(
                            file=self._file, offset=piece.offset, reason=piece.reason, raw=verbatim(piece.text)
                        )


@dataclass(frozen=True, slots=True)
class _Array:
    """How an exporter lays out an array.

    close: line break, indentation and brace that end a record. gap: what stands
    between that and the next record's brace. fields: see Opening."""

    close: bytes
    gap: bytes
    fields: dict[str, Any]


def _fields_before(text: bytes, indent: int) -> dict[str, Any]:
    """Return the members that stand in `text` between the opening of the enclosing object and an array's key, whose line
    is indented by `indent`."""
    openings = [
        match for match in re.finditer(rb"(?:^|\n)([ \t]*)[^\n]*\{[ \t\r]*(?=\n)", text) if len(match[1]) < indent
    ]
    body = text[openings[-1].end() :] if openings else text.lstrip(b"\xef\xbb\xbf \t\r\n{")
    try:
        fields = msgspec.json.decode(mend_json(b"{" + body.strip().rstrip(b",") + b"}"))
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in fields.items() if not isinstance(value, list)}
