"""Records out of a JSON array of any size, in constant memory: a scan over the exporter's own indentation with typed
decoding, and ijson for any other layout."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Generic, TypeVar

import ijson
import msgspec

from trainer.sources.message import Reject
from trainer.sources.repair import decode_text, mend_json

CHUNK = 1 << 20
LONGEST_RECORD = 16 << 20  # bytes; a longer one is no message, and would have to be held in memory whole
LONGEST_HEAD = 64 << 10  # bytes kept of what stands before an array

_ARRAY_END = re.compile(rb"\s*\]")
_CUT = re.compile(rb"\s*,?[\s{]*\Z")

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Opening:
    """An array of records begins. fields: what stood before it in the object it is part of, arrays left out."""

    fields: dict[str, Any]


class _Irregular(Exception):
    """The text isn't laid out as the scan expects."""


class JsonRecords(Generic[Record]):
    """The records of every array called `key` ("" is the file's own) in what `reopen` opens, decoded as `kind`."""

    def __init__(self, reopen: Callable[[], BinaryIO], file: str, key: str, kind: type[Record]) -> None:
        self._reopen = reopen
        self._file = file
        self._key = key
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind, strict=False)
        name = rb'\n([ \t]*)"%s"\s*:\s*' % re.escape(key.encode()) if key else rb"\A([^\[{]*)"
        self._opener = re.compile(name + rb"\[(\r?\n[ \t]+)\{")

    def __iter__(self) -> Iterator[Opening | Record | Reject]:
        """Openings, each followed by its records. A record that can't be read, and the tail of a file that was cut,
        come as Rejects."""
        seen = 0
        try:
            for item in self._scanned():
                yield item
                seen += not isinstance(item, Opening)
        except _Irregular:
            for item in self._parsed():
                if isinstance(item, Opening) or (seen := seen - 1) < 0:
                    yield item

    def _scanned(self) -> Iterator[Opening | Record | Reject]:
        with self._reopen() as stream:
            window = _Window(stream)
            arrays = 0
            while mark := self._next_array(window):
                arrays += 1
                yield Opening(mark.fields)
                yield from self._array(window, mark.text)
                if not self._key:
                    return
            if not arrays:
                raise _Irregular

    def _next_array(self, window: "_Window") -> "_Mark | None":
        """Move to the line break before the next array's first record."""
        while not (found := self._opener.search(window.text, window.at)):
            window.at = max(window.at, len(window.text) - LONGEST_HEAD)
            if not window.more():
                return None
        fields = _fields_before(window.text[window.at : found.start()], len(found[1])) if self._key else {}
        window.at = found.start(2)
        return _Mark(found[2], fields)

    def _array(self, window: "_Window", mark: bytes) -> Iterator[Record | Reject]:
        """The records from `window` on; each begins and ends on a line of its own with the indentation in `mark`."""
        end = mark + b"}"
        while True:
            stop = window.find(end, len(mark))
            if stop < 0:
                if len(window.text) - window.at > LONGEST_RECORD:
                    raise _Irregular
                yield self._cut(window.text[window.at :], window.offset)
                return
            record = window.text[window.at + len(mark) : stop + len(end)]
            yield self._decoded(record, window.offset + len(mark))
            window.at = stop + len(end)
            while len(window.text) - window.at < len(mark) + 64 and window.more():
                continue
            if window.text.startswith(b"," + mark + b"{", window.at):
                window.at += 1
            elif _ARRAY_END.match(window.text, window.at):
                return
            elif _CUT.match(window.text, window.at):
                yield self._cut(b"", window.offset)
                return
            else:
                raise _Irregular

    def _decoded(self, record: bytes, offset: int) -> Record | Reject:
        try:
            return self._decoder.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._mended(record, offset)

    def _mended(self, record: bytes, offset: int) -> Record | Reject:
        try:
            return self._decoder.decode(mend_json(record))
        except (ValueError, msgspec.DecodeError, RecursionError) as error:
            return Reject(
                file=self._file, offset=offset, reason=f"no readable record ({error})", raw=decode_text(record)
            )

    def _cut(self, rest: bytes, offset: int) -> Reject:
        return Reject(file=self._file, offset=offset, reason="the file is cut off here", raw=decode_text(rest))

    def _parsed(self) -> Iterator[Opening | Record | Reject]:
        """The same by a full parser, for any layout of valid JSON."""
        with self._reopen() as stream:
            events = _Events(_json_of(stream))
            try:
                yield from self._of_arrays(events)
            except (ijson.JSONError, UnicodeDecodeError) as error:
                reason = (
                    "the file is cut off"
                    if isinstance(error, ijson.IncompleteJSONError)
                    else "the file is not valid JSON"
                )
                yield Reject(
                    file=self._file, offset=stream.tell() if stream.seekable() else 0, reason=f"{reason} about here"
                )

    def _of_arrays(self, events: "_Events") -> Iterator[Opening | Record | Reject]:
        owners: list[dict[str, Any]] = []
        keys: list[str] = [""]
        for event, value in events:
            if event == "map_key":
                keys[-1] = value
            elif event == "start_map":
                fields: dict[str, Any] = {}
                if owners:
                    owners[-1][keys[-1]] = fields
                owners.append(fields)
                keys.append("")
            elif event == "end_map":
                owners.pop()
                keys.pop()
            elif event == "start_array":
                if keys[-1] == self._key and (self._key or not owners):
                    yield Opening(dict(owners[-1]) if owners else {})
                    yield from map(self._converted, events.items())
            elif event != "end_array" and owners:
                owners[-1][keys[-1]] = value

    def _converted(self, value: object) -> Record | Reject:
        try:
            return msgspec.convert(value, self._kind, strict=False)
        except (msgspec.ValidationError, RecursionError) as error:
            raw = msgspec.json.encode(value).decode()
            return Reject(file=self._file, offset=0, reason=f"no readable record ({error})", raw=raw)


@dataclass(frozen=True, slots=True)
class _Mark:
    text: bytes  # the line break and indentation before each record of an array
    fields: dict[str, Any]


class _Window:
    """A stretch of a stream. at: the position in `text` that is read next; what stands before it may go."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._dropped = 0
        self.text = b""
        self.at = 0

    @property
    def offset(self) -> int:
        """Where `at` is in the stream, in bytes."""
        return self._dropped + self.at

    def more(self) -> bool:
        """Read on. False at the end. Positions in `text` are void afterwards, but `at` is kept right."""
        chunk = self._stream.read(CHUNK)
        if chunk:
            self.text = self.text[self.at :] + chunk
            self._dropped += self.at
            self.at = 0
        return bool(chunk)

    def find(self, wanted: bytes, after: int) -> int:
        """Where `wanted` next stands in `text`, from `at` + `after` on, reading on as needed; -1 if nowhere near."""
        start = self.at + after
        while (found := self.text.find(wanted, start)) < 0:
            start = max(start, len(self.text) - len(wanted)) - self.at
            if len(self.text) - self.at > LONGEST_RECORD or not self.more():
                return -1
            start += self.at
        return found


class _Events:
    """ijson's basic events, with whole values built where they are wanted."""

    def __init__(self, stream: BinaryIO) -> None:
        self._events = iter(ijson.basic_parse(stream, use_float=True))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        yield from self._events

    def items(self) -> Iterator[Any]:
        """The values of the array that has just begun, up to its end."""
        for event, value in self._events:
            if event == "end_array":
                return
            builder = ijson.ObjectBuilder()
            builder.event(event, value)
            depth = int(event in ("start_map", "start_array"))
            while depth:
                event, value = next(self._events)
                builder.event(event, value)
                depth += (event in ("start_map", "start_array")) - (event in ("end_map", "end_array"))
            yield builder.value


def _fields_before(text: bytes, indent: int) -> dict[str, Any]:
    """The members that stand in `text` between the opening of the enclosing object and an array's key, whose line is
    indented by `indent`."""
    openings = [
        found for found in re.finditer(rb"(?:^|\n)([ \t]*)[^\n]*\{[ \t\r]*(?=\n)", text) if len(found[1]) < indent
    ]
    body = text[openings[-1].end() :] if openings else text.lstrip(b"\xef\xbb\xbf \t\r\n{")
    try:
        fields = msgspec.json.decode(mend_json(b"{" + body.strip().rstrip(b",") + b"}"))
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in fields.items() if not isinstance(value, list)}


def _json_of(stream: BinaryIO) -> BinaryIO:
    """`stream` from its JSON on: X writes `window.YTD.… = ` before it."""
    start = stream.read(CHUNK)
    equals, bracket = start.find(b"="), re.search(rb"[\[{]", start)
    skip = (
        equals + 1
        if 0 <= equals < (bracket.start() if bracket else 0)
        else 3
        if start.startswith(b"\xef\xbb\xbf")
        else 0
    )
    return _Chained(start[skip:], stream)  # type: ignore[return-value]


class _Chained:
    """Bytes already read, then the rest of a stream. Has the one method ijson uses."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first = BytesIO(first)
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        return self._first.read(size) or self._rest.read(size)
