"""Files that no reader claimed: which of them could have held messages, and why they were not read."""

import re
from dataclasses import dataclass

_CODE = frozenset(
    "py pyi js mjs cjs ts tsx jsx c h cc cpp hpp cs java kt go rs rb php pl lua swift scala jl sh bash zsh ps1 bat sql css"
    " scss less toml yaml yml ini cfg lock gradle cmake ipynb".split()
)
_DATA_AS_CODE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:window\.|Grailbird\.|YTD\.)")  # X's archives are JavaScript
_DOCUMENTS = frozenset("docx xlsx pptx odt ods odp epub apk jar tgs vcf ics svg srt vtt gpx kml".split())
_PACKED = re.compile(
    rb"PK\x03\x04|PK\x05\x06|\x1f[\x8b\x9d\xa0]|BZh[1-9]|\xfd7zXZ\0|7z\xbc\xaf\x27\x1c|Rar!\x1a|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18"
    rb"|MSCF\0|LZIP\x01|.{2}-lh\d-|!<arch>\n|ANDROID BACKUP\n",
    re.DOTALL,
)
_DATABASE = b"SQLite format 3\0"
_ENCRYPTED = re.compile(r"\.crypt\d{1,2}$", re.IGNORECASE)  # WhatsApp's backups
_JSON = re.compile(rb"[\[{]\s*(?:[\[{\]}\"]|(?:-?\d[\d.eE+-]*|true|false|null)\s*[,\]])")
_MARKUP = re.compile(rb"<(?:!doctype html|html|head|body|div|table|p)[\s>]")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_KNOWN = (  # layouts that lack what training needs, and what to export instead
    (
        re.compile(
            rb'\[\s*\{(?=.{0,60000}?"(?:sendStateByConversationId|sourceServiceId|sourceUuid|serverGuid)")', re.DOTALL
        ),
        "sigtop's JSON, which has no names and, since 2025, no texts; export without -f json, or with signal-export",
    ),
    (
        re.compile(
            rb"(?=.{0,60000}?\n\d{4}-\d\d-\d\d \d\d:\d\d You:)\d{4}-\d\d-\d\d \d\d:\d\d [^\n]{1,100}:", re.DOTALL
        ),
        "sigtop's short text, which has neither ids nor seconds; export without -f text-short",
    ),
    (
        re.compile(r"# [^\n]{1,200}\n\n- 会话ID: `".encode()),
        "WeFlow's Markdown, which has neither ids nor replies; export its JSON",
    ),
)
_LOOK_AT = 4096  # bytes
_MAX_CONTROL = 0.01  # share of control characters in text; IRC has some for its colours


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file that was not read. label: how the user knows it."""

    label: str
    reason: str


def is_code(name: str, start: bytes) -> bool:
    """Return whether a file is source code, whose lines may look like an export's."""
    if start.startswith(b"#!"):
        return True
    return _suffix(name) in _CODE and not _DATA_AS_CODE.match(start)


def is_document(name: str) -> bool:
    """Return whether a file is a document or a card that people send each other."""
    return _suffix(name) in _DOCUMENTS


def is_packed(start: bytes) -> bool:
    """Return whether a file is an archive or a packed file."""
    return bool(_PACKED.match(start))


def why_unread(name: str, start: bytes) -> str:
    """Return why a file was not read; empty for what holds no messages anyway."""
    if is_document(name) or start.strip() in (b"", b"[]", b"{}"):
        return ""
    if is_packed(start):
        return "an archive that is not opened here; unpack it and name the folder"
    if start.startswith(_DATABASE):
        return "a database of a kind that no reader knows"
    if _ENCRYPTED.search(name):
        return "an encrypted backup; export the chats in the app instead"
    if not _is_text(start):
        return ""
    if is_code(name, start):
        return "source code, which is nobody's export"
    known = next((reason for layout, reason in _KNOWN if layout.match(start.lstrip())), "")
    return known or f"{_layout(name, start)} of a kind that no reader knows"


def _layout(name: str, start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if _JSON.match(text):
        return "JSON"
    if text.startswith(b"{\\rtf"):
        return "RTF"
    if _MARKUP.match(text):
        return "HTML"
    if text.startswith(b"<?xml"):
        return "XML"
    first = text.split(b"\n", 1)[0]
    return (
        "CSV"
        if _suffix(name) in ("csv", "tsv") or max(first.count(sign) for sign in (b",", b";", b"\t")) > 1
        else "text"
    )


def _is_text(start: bytes) -> bool:
    look = start[:_LOOK_AT]
    return b"\0" not in look and len(_CONTROL.findall(look)) <= _MAX_CONTROL * len(look)


def _suffix(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2].lower()
