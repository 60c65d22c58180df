"""Tags and texts out of an HTML file of any size, in constant memory; for files that a program wrote, not for the web."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_CHUNK = 1 << 18
MAX_TAG_BYTES = 1 << 14  # bytes; what goes on without an end is text
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
        return {match[1].lower(): html.unescape(match[2][1:-1]) for match in _ATTRIBUTE.finditer(self.source)}


def html_tokens(stream: BinaryIO) -> Iterator[Tag]:
    """Yield every tag of a UTF-8 file; the last one has no name."""
    window, offset, at, text = b"", 0, 0, b""
    while chunk := stream.read(_CHUNK):
        window, offset, at = window[at:] + chunk, offset + at, 0
        for match in _TAG.finditer(window):
            text += window[at : match.start()]
            at = match.end()
            if match[2]:  # else a comment, or what says that it is HTML
                yield _tag(match, offset, text)
                text = b""
        if len(window) - at + len(text) > MAX_TAG_BYTES:
            keep = max(window.rfind(b"<", at), len(window) - MAX_TAG_BYTES, at)
            yield Tag(offset + at, _text(text + window[at:keep]), "wbr", empty=True)
            at, text = keep, b""
    yield Tag(offset + at, _text(text + window[at:]), "")


def _tag(match: "re.Match[bytes]", offset: int, before: bytes) -> Tag:
    name = match[2].decode().lower()
    source = match[3].decode("utf-8", "replace")
    return Tag(
        offset=offset + match.start(),
        text=_text(before),
        name=name,
        closing=bool(match[1]),
        empty=name in _EMPTY or source.endswith("/"),
        source=source,
    )


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", "replace")) if raw else ""
