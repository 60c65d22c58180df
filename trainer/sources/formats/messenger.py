"""Messenger's and Instagram's JSON: `message_1.json`, … of "Download your information", and Messenger's export of
end-to-end encrypted chats.

Learned from public schemas and parsers (SamuelePilleri/facebook-schemas, joweich/chat-miner). Newest first, some 10,000
messages a file; strings are UTF-8 read as Latin-1, each mended for itself. `thread_path` stands after the messages, so the
end of a file is read first. Instagram's files can't be told from Messenger's by content: both are platform `messenger`.
There are no ids. The encrypted shape (`senderName`, `text`, `timestamp`, `isUnsent`) is known from issue threads only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import msgspec

from trainer.sources.files.tree import HEAD, Tree
from trainer.sources.message import ConversationType, Kind, Message
from trainer.sources.parsing.attachment import kind_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.participants import conversation_key
from trainer.sources.source import Reading, Source, claim_each

_CLASSIC = re.compile(rb'"sender_name"\s*:')
_ENCRYPTED = re.compile(rb'"senderName"\s*:')
_STRING = rb'"%s"\s*:\s*("(?:[^"\\]|\\.)*")'
_PEOPLE = re.compile(rb'"participants"\s*:\s*(\[[^\]]{0,60000}\])')
_MEDIA = {"photos": "photo", "videos": "video", "audio_files": "voice", "gifs": "gif", "files": "file"}
# What the apps write for a reaction, and for a file without words; in English exports only.
_REACTION = re.compile(r"(?:Reacted \S{1,12} to (?:your|a) message|Liked a message) ?")
_SENT = re.compile(r".{1,60} sent (?:an attachment|a photo|a video|a sticker|a GIF|a voice message|a link)\.")


class _Row(msgspec.Struct):
    sender_name: str = ""
    timestamp_ms: float | None = None
    timestamp: float | None = None
    content: str | None = None
    type: str = ""
    is_unsent: bool | None = None
    photos: list[Any] | None = None
    videos: list[Any] | None = None
    audio_files: list[Any] | None = None
    gifs: list[Any] | None = None
    files: list[Any] | None = None
    sticker: Any = None
    share: Any = None
    call_duration: float | None = None


class _EncryptedRow(msgspec.Struct, rename="camel"):
    sender_name: str = ""
    timestamp: float | None = None
    text: str | None = None
    type: str = ""
    is_unsent: bool | None = None
    media: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class _Thread:
    """The chat a file belongs to."""

    key: str
    name: str
    type: ConversationType


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        thread = _thread(tree, name)
        ids = DerivedIds(thread.key)
        for found in JsonRecords(partial(tree.open, name), name, "messages", _Row):
            if isinstance(found, _Row):
                yield _message(found, thread, ids)
            elif not isinstance(found, Opening):
                yield found


def _read_encrypted(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        thread = _thread(tree, name)
        ids = DerivedIds(thread.key)
        for found in JsonRecords(partial(tree.open, name), name, "messages", _EncryptedRow):
            if isinstance(found, _EncryptedRow):
                yield _encrypted_message(found, thread, ids)
            elif not isinstance(found, Opening):
                yield found


def _thread(tree: Tree, name: str) -> _Thread:
    """What stands before and after the messages."""
    about = _ends(tree, name)
    found = _PEOPLE.search(about)
    people = re.findall(rb'"(?:[^"\\]|\\.)*"', found[1]) if found else []
    names = [one for one in map(_string, people) if one not in ("", "name")]
    title = _field(about, b"title") or re.sub(r"_\d+$", "", _field(about, b"threadName"))
    path = _field(about, b"thread_path") or _field(about, b"threadName")
    key = path.rpartition("/")[2] or PurePosixPath(name).parent.name or conversation_key(title, names)
    return _Thread(key, title, "dm" if len(names) <= 2 else "group")


def _ends(tree: Tree, name: str) -> bytes:
    """The first and the last 64 KiB of a member."""
    with tree.open(name) as stream:
        head = stream.read(HEAD)
        tail = b""
        while chunk := stream.read(1 << 20):
            tail = (tail + chunk)[-HEAD:]
    return head + tail


def _field(text: bytes, key: bytes) -> str:
    found = re.findall(_STRING % key, text)
    return _string(found[-1]) if found else ""


def _string(raw: bytes) -> str:
    try:
        return _mended(msgspec.json.decode(raw, type=str))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _mended(text: str) -> str:
    """A string whose UTF-8 bytes were written as Latin-1 letters; what isn't such a string stays as it is."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def _message(row: _Row, thread: _Thread, ids: DerivedIds) -> Message:
    at = row.timestamp_ms / 1000 if row.timestamp_ms is not None else row.timestamp
    sender, text = _mended(row.sender_name), _mended(row.content or "")
    kinds = [kind for field, kind in _MEDIA.items() for _ in getattr(row, field) or ()]
    kinds += ["sticker"] if row.sticker else []
    what = _kind(row, text)
    link = str(row.share.get("link") or "") if isinstance(row.share, dict) else ""
    if _SENT.fullmatch(text) and (kinds or link):
        text = ""
    return Message(
        platform="messenger",
        conversation_id=thread.key,
        conversation_type=thread.type,
        conversation_name=thread.name,
        message_id=ids.next(at, sender, "\n".join((text, link, *kinds))),
        sender_id="",
        sender_name=sender,
        timestamp=at,
        kind=what,
        text="\n".join(filter(None, (text, link if link not in text else ""))),
        attachments=tuple(kinds),
    )


def _kind(row: _Row, text: str) -> Kind:
    if row.type == "Call" or row.call_duration is not None:
        return "call"
    if row.type in ("Subscribe", "Unsubscribe") or _REACTION.fullmatch(text):
        return "service"
    return "unsupported" if row.is_unsent or row.type == "Unsent" else "message"


def _encrypted_message(row: _EncryptedRow, thread: _Thread, ids: DerivedIds) -> Message:
    at = row.timestamp / 1000 if row.timestamp is not None else None
    sender, text = _mended(row.sender_name), _mended(row.text or "")
    kinds = [kind_of(str(one.get("uri", ""))) for one in row.media or ()]
    return Message(
        platform="messenger",
        conversation_id=thread.key,
        conversation_type=thread.type,
        conversation_name=thread.name,
        message_id=ids.next(at, sender, "\n".join((text, *kinds))),
        sender_id="",
        sender_name=sender,
        timestamp=at,
        kind="unsupported" if row.is_unsent or row.type == "placeholder" else "message",
        text=text,
        attachments=tuple(kinds),
    )


def _recognises(start: bytes) -> bool:
    return bool(_CLASSIC.search(start)) and b'"timestamp' in start and b'"messages"' in start


def _recognises_encrypted(start: bytes) -> bool:
    return bool(_ENCRYPTED.search(start)) and b'"timestamp"' in start and b'"messages"' in start


SOURCE = Source("Messenger / Instagram", claim_each(_recognises), _read)
ENCRYPTED = Source(
    "Messenger end-to-end encrypted", claim_each(_recognises_encrypted), _read_encrypted, experimental=True
)
