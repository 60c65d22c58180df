"""Records out of JSON of any layout, as bytes: a walk over brackets and strings. Slower than a scan by indentation, and
takes what no strict parser would: a record's own mistakes stay inside the record."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from trainer.sources.files.window import ByteWindow
from trainer.sources.parsing.repair import mend_json

MAX_RECORD_BYTES = 8 << 20  # bytes; a longer one is no message, and would have to be held in memory whole
DEEPEST = 200  # brackets open around an array of records
MAX_FIELDS = 1000  # of an object around an array that are kept

_START = re.compile(rb"[\[{]")
_TOKEN = re.compile(rb'[\s,:]*+("(?:[^"\\]++|\\.)*+"|[\[\]{}]|[^\s,:"\[\]{}]++(?=[\s,:"\[\]{}]))', re.DOTALL)
_NESTING = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)
_NEXT = re.compile(rb"[\s,:]*+([^\s,:])")


@dataclass(frozen=True, slots=True)
class Opening:
    """An array of records begins. fields: what stands before it in its object, arrays left out. name: what that object is
    called in the one around it.

    In a walk, what stands behind the array is added to `fields` when it is reached.
    """

    fields: dict[str, Any]
    name: str = ""


@dataclass(frozen=True, slots=True)
class JsonElement:
    """One element of such an array. offset: where it begins, in bytes."""

    text: bytes
    offset: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the walk could not go on. text: what was in view of the element it stopped in."""

    offset: int
    reason: str
    text: bytes = b""


@dataclass(slots=True)
class _Level:
    """An object or array that is open. key: the member that is being read, of an object."""

    is_object: bool
    fields: dict[str, Any]
    key: str = ""
    expects_key: bool = True


def walk(window: ByteWindow, key: str, bracket: bytes = b"[") -> Iterator[Opening | JsonElement | Stop]:
    """Yield the elements of every array called `key`, and where the text ends too early.

    An empty key means the file's own array. bracket: a brace for objects, whose values are then the elements.
    """
    while not (match := _START.search(window.text, window.at)):
        window.at = len(window.text)
        if not window.more():
            return
    window.at = match.start()
    levels: list[_Level] = []
    while token := _token(window):
        above = levels[-1] if levels else None
        if token == bracket and (above.is_object and above.key == key if above and key else not above and not key):
            yield Opening(above.fields if above else {}, levels[-2].key if len(levels) > 1 else "")
            if not (yield from elements(window, bracket == b"{")):
                return
            _member_done(above)
        elif token in (b"[", b"{"):
            fields: dict[str, Any] = {}
            if above and above.is_object and token == b"{":
                _keep(above, fields)
            levels.append(_Level(token == b"{", fields))
            if len(levels) > DEEPEST:
                yield Stop(
                    window.offset, f"nested deeper than {DEEPEST} brackets; no export is, so the rest is not read"
                )
                return
        elif token in (b"]", b"}"):
            if levels:
                levels.pop()
            _member_done(levels[-1] if levels else None)
        elif above and above.is_object:
            _scalar(above, token)
        if not levels:
            return
    yield Stop(window.offset, "the file is cut off here", window.text[window.at : window.at + MAX_RECORD_BYTES])


def complete_fields(window: ByteWindow, key: str, bracket: bytes = b"[") -> list[dict[str, Any]]:
    """Return the fields of every object with an array called `key`, in whatever order."""
    openings = [item for item in walk(window, key, bracket) if isinstance(item, Opening)]
    return [opening.fields for opening in openings]


def _token(window: ByteWindow) -> bytes:
    """Return the next bracket, string or scalar; empty at the end or where one is too long."""
    while not (match := _TOKEN.match(window.text, window.at)):
        if len(window.text) - window.at > MAX_RECORD_BYTES or not window.more():
            return b""
    window.at = match.end()
    return match[1]


def _scalar(level: _Level, token: bytes) -> None:
    if level.expects_key:
        level.key, level.expects_key = str(_value(token)), False
    else:
        _keep(level, _value(token))
        _member_done(level)


def _keep(level: _Level, value: Any) -> None:
    if len(level.fields) < MAX_FIELDS:
        level.fields[level.key] = value


def _member_done(level: _Level | None) -> None:
    if level:
        level.expects_key = True


def _value(token: bytes) -> Any:
    try:
        return msgspec.json.decode(mend_json(token))
    except (ValueError, RecursionError):
        return ""


def elements(window: ByteWindow, is_object: bool = False) -> Generator[JsonElement | Stop, None, bool]:
    """Yield the elements from `window` on, up to the array's end; returns whether it got there.

    is_object: they are the values of an object.
    """
    is_name = is_object
    while True:
        while not (match := _NEXT.match(window.text, window.at)):
            if not window.more():
                yield Stop(window.offset, "the file is cut off here")
                return False
        window.at = match.start(1)
        if match[1] in (b"]", b"}"):
            window.at += 1
            return True
        if is_name and _token(window):
            is_name = False
            continue
        is_name = is_object
        offset = window.offset
        size = _element_size(window) if match[1] in b"[{" else len(_token_at(window))
        if size <= 0:
            reason = (
                "the file is cut off here" if size == 0 else f"longer than {MAX_RECORD_BYTES >> 20} MiB: no message is"
            )
            yield Stop(offset, reason, window.text[window.at : window.at + MAX_RECORD_BYTES])
            return False
        yield JsonElement(window.text[window.at : window.at + size], offset)
        window.at += size


def _token_at(window: ByteWindow) -> bytes:
    start = window.at
    token = _token(window)
    window.at = window.at - len(token) if token else start
    return token


def _element_size(window: ByteWindow) -> int:
    """Return the bytes of the object or array at `window`.

    0: the file ends in it. -1: it is too long.
    """
    seen = depth = 0
    while True:
        while match := _NESTING.match(window.text, window.at + seen):
            seen = match.end() - window.at
            depth += 1 if match[1] in b"[{" else -1
            if depth <= 0:
                return seen
        if len(window.text) - window.at > MAX_RECORD_BYTES:
            return -1
        if not window.more():
            return 0
