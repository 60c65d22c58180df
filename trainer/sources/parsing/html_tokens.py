"""Tags and texts out of an HTML file of any size, in constant memory; for files that a program wrote, not for the web."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_CHUNK = 1 << 18
_LONGEST_TAG = 1 << 14  # bytes; what goes on without an end is text
_TAG = re.compile(rb"<(?:(/?)([A-Za-z][A-Za-z0-9]{0,15})(?![A-Za-z0-9])([^<>]*)|![^<>]*)>")
_ATTRIBUTE = re.compile(r"""(?<![\w-])([\w-]+)\s*=\s*("[^"]*"|'[^']*')""")
_EMPTY = frozenset(("area", "br", "hr", "img", "input", "link", "meta", "wbr"))


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and the text before it. offset: where the tag stands, in bytes. name: in lower case, empty at the end of the
    file. empty: it encloses nothing. source: its attributes as written."""

    offset: int
    text: str
    name: str
    closing: bool = False
    empty: bool = False
    source: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Its attributes, entities undone."""
        return {found[1].lower(): html.unescape(found[2][1:-1]) for found in _ATTRIBUTE.finditer(self.source)}


def html_tokens(stream: BinaryIO) -> Iterator[Tag]:
    """Every tag of a UTF-8 file; the last one has no name."""
    window, offset, at, text = b"", 0, 0, b""
    while chunk := stream.read(_CHUNK):
        window, offset, at = window[at:] + chunk, offset + at, 0
        for found in _TAG.finditer(window):
            text += window[at : found.start()]
            at = found.end()
            if found[2]:  # else a comment, or what says that it is HTML
                yield _tag(found, offset, text)
                text = b""
        if len(window) - at + len(text) > _LONGEST_TAG:
            keep = max(window.rfind(b"<", at), len(window) - _LONGEST_TAG, at)
            yield Tag(offset + at, _text(text + window[at:keep]), "wbr", empty=True)
            at, text = keep, b""
    yield Tag(offset + at, _text(text + window[at:]), "")


def _tag(found: "re.Match[bytes]", offset: int, before: bytes) -> Tag:
    name = found[2].decode().lower()
    source = found[3].decode("utf-8", "replace")
    return Tag(
        offset=offset + found.start(),
        text=_text(before),
        name=name,
        closing=bool(found[1]),
        empty=name in _EMPTY or source.endswith("/"),
        source=source,
    )


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", "replace")) if raw else ""
