"""Messenger's and Instagram's JSON, and Messenger's of encrypted chats.

`message_1.json`, … of "Download your information", in the language of the account: what the app says stands under the
names of people.

Learned from public schemas and parsers (SamuelePilleri/facebook-schemas, joweich/chat-miner). Newest first, some 10,000
messages a file; strings are UTF-8 read as Latin-1, each mended for itself. `thread_path` stands after the messages, so the
end of a file is read first. Instagram's files can't be told from Messenger's by content: both are platform `messenger`.
There are no ids. The encrypted shape (`senderName`, `text`, `timestamp`, `isUnsent`) is known from issue threads only.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import msgspec

from trainer.sources.files.tree import HEAD, Tree
from trainer.sources.message import ConversationType, Message, MessageKind
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.messenger_notices import is_notice, sent_medium, without_edit_note
from trainer.sources.parsing.participants import conversation_key
from trainer.sources.source import Reading, Source, claim_each, companions

_CLASSIC = re.compile(rb'"sender_name"\s*:')
_ENCRYPTED = re.compile(rb'"senderName"\s*:')
_STRING = rb'"%s"\s*:\s*("(?:[^"\\]|\\.)*")'
_PEOPLE = re.compile(rb'"participants"\s*:\s*(\[[^\]]{0,60000}\])')
_MEDIA = {"photos": "photo", "videos": "video", "audio_files": "voice", "gifs": "gif", "files": "file"}
_CUT = re.compile(
    rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)  # the beginning of a character
_DATED = re.compile(r" \([^()]{4,40}\d[^()]{0,20}\)$")
_STORY = ".com/stories/"
_EDITING_SECONDS = 20 * 60  # Instagram lets people edit for a quarter of an hour
_MAX_EDITS = 32  # whose earlier texts are waited for
_MIN_LIKENESS = 0.6  # of an earlier text to the final one


class _Reaction(msgspec.Struct):
    reaction: str = ""
    actor: str = ""


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
    reactions: list[_Reaction] | None = None


class _EncryptedRow(msgspec.Struct, rename="camel"):
    sender_name: str = ""
    timestamp: float | None = None
    text: str | None = None
    type: str = ""
    is_unsent: bool | None = None
    media: list[dict[str, Any]] | None = None
    reactions: list[_Reaction] | None = None


@dataclass(frozen=True, slots=True)
class _Thread:
    """The chat a file belongs to."""

    key: str
    name: str
    type: ConversationType


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        thread = _thread(tree, name)
        ids, edits = DerivedIds(thread.key), _Edits()
        for row in JsonRecords(partial(tree.open, name), name, "messages", _Row):
            if isinstance(row, _Row):
                yield _message(row, thread, ids, edits)
            elif not isinstance(row, Opening):
                yield row


def _read_encrypted(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        thread = _thread(tree, name)
        ids = DerivedIds(thread.key)
        for row in JsonRecords(partial(tree.open, name), name, "messages", _EncryptedRow):
            if isinstance(row, _EncryptedRow):
                yield _encrypted_message(row, thread, ids)
            elif not isinstance(row, Opening):
                yield row


def _thread(tree: Tree, name: str) -> _Thread:
    """Return what stands before and after the messages."""
    about = _ends(tree, name)
    match = _PEOPLE.search(about)
    people = re.findall(rb'"(?:[^"\\]|\\.)*"', match[1]) if match else []
    names = [name for name in map(_string, people) if name not in ("", "name")]
    title = _field(about, b"title") or re.sub(r"_\d+$", "", _field(about, b"threadName"))
    path = _field(about, b"thread_path") or _field(about, b"threadName")
    key = path.rpartition("/")[2] or PurePosixPath(name).parent.name or conversation_key(title, names)
    return _Thread(key, title, "dm" if len(names) <= 2 else "group")


def _ends(tree: Tree, name: str) -> bytes:
    """Return the first and the last 64 KiB of a member."""
    with tree.open(name) as stream:
        head = stream.read(HEAD)
        tail = b""
        while chunk := stream.read(1 << 20):
            tail = (tail + chunk)[-HEAD:]
    return head + tail


def _field(text: bytes, key: bytes) -> str:
    values = re.findall(_STRING % key, text)
    return _string(values[-1]) if values else ""


def _string(raw: bytes) -> str:
    try:
        return _mended(msgspec.json.decode(raw, type=str))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _mended(text: str) -> str:
    """Return a string whose UTF-8 bytes were written as Latin-1; any other as it is.

    Half an emoji, or a character that was cut at the end, is lost alone.
    """
    if text.isascii():
        return text
    try:
        raw = _CUT.sub(b"", text.encode("latin-1"))
        if raw.isascii():  # a last letter of Latin-1 that is only that
            return text
        return raw.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


class _Edits:
    """Texts that were edited, newest first: the export has each of their versions."""

    def __init__(self) -> None:
        self._edited: deque[tuple[float, str, str]] = deque(maxlen=_MAX_EDITS)

    def take(self, at: float, sender: str, text: str) -> tuple[str, bool, bool]:
        """Return the text without the note that it was edited, whether it was, and whether a later version stands for
        it."""
        text, is_edited = without_edit_note(text)
        superseded = any(
            author == sender and 0 <= later - at <= _EDITING_SECONDS and _are_alike(text, final)
            for later, author, final in self._edited
        )
        if is_edited and not superseded:
            self._edited.append((at, sender, text))
        return text, is_edited, superseded


def _are_alike(earlier: str, final: str) -> bool:
    return final.startswith(earlier) or SequenceMatcher(None, earlier, final, autojunk=False).ratio() >= _MIN_LIKENESS


def _message(row: _Row, thread: _Thread, ids: DerivedIds, edits: _Edits) -> Message:
    at = row.timestamp_ms / 1000 if row.timestamp_ms is not None else row.timestamp
    sender, text = _mended(row.sender_name), _mended(row.content or "")
    media = [medium for field, medium in _MEDIA.items() for _ in getattr(row, field) or ()]
    media += ["sticker"] if row.sticker else []
    link = str(row.share.get("link") or "") if isinstance(row.share, dict) else ""
    kind, is_edited = _kind(row), False
    if kind == "message" and is_notice(sender, text):
        kind, text, link, media = _sent(text, link, media)
    elif at is not None and kind == "message":
        text, is_edited, superseded = edits.take(at, sender, text)
        kind = "deleted" if superseded else kind
    return Message(
        platform="messenger",
        conversation_id=thread.key,
        conversation_type=thread.type,
        conversation_name=thread.name,
        message_id=ids.next(at, sender, "\n".join((text, link, *media))),
        sender_id="",
        sender_name=sender,
        timestamp=at,
        edited_at=at if is_edited else None,
        kind=kind,
        text="\n".join(filter(None, (text, "" if link in text or (text and _STORY in link) else link))),
        attachments=tuple(media),
        reactions=_reactions(row.reactions),
    )


def _sent(text: str, link: str, media: list[str]) -> tuple[MessageKind, str, str, list[str]]:
    """Return kind, text, link and media of a row whose text the app wrote."""
    if media:
        return "message", "", link, media
    sent = sent_medium(text)
    if not sent and (not link or _STORY in link):  # what was answered, reacted to or mentioned
        return "service", text, "", []
    if link and sent in ("", "file"):
        return "message", "", link, []
    return "message", "", "", [sent]


def _reactions(reactions: list[_Reaction] | None) -> tuple[tuple[str, str], ...]:
    """Emoji and author; Instagram writes the date behind the author's name."""
    return tuple((_mended(entry.reaction), _DATED.sub("", _mended(entry.actor))) for entry in reactions or ())


def _kind(row: _Row) -> MessageKind:
    if row.type == "Call" or row.call_duration is not None:
        return "call"
    if row.type in ("Subscribe", "Unsubscribe"):
        return "service"
    return "unsupported" if row.is_unsent or row.type == "Unsent" else "message"


def _encrypted_message(row: _EncryptedRow, thread: _Thread, ids: DerivedIds) -> Message:
    at = row.timestamp / 1000 if row.timestamp is not None else None
    sender, text = _mended(row.sender_name), _mended(row.text or "")
    media = [medium_of(str(medium.get("uri", ""))) for medium in row.media or ()]
    kind: MessageKind = "unsupported" if row.is_unsent or row.type == "placeholder" else "message"
    if kind == "message" and is_notice(sender, text):
        kind, text, _, media = _sent(text, "", media)
    return Message(
        platform="messenger",
        conversation_id=thread.key,
        conversation_type=thread.type,
        conversation_name=thread.name,
        message_id=ids.next(at, sender, "\n".join((text, *media))),
        sender_id="",
        sender_name=sender,
        timestamp=at,
        kind=kind,
        text=text,
        attachments=tuple(media),
        reactions=_reactions(row.reactions),
    )


def _recognises(start: bytes) -> bool:
    return bool(_CLASSIC.search(start)) and b'"timestamp' in start and b'"messages"' in start


def _recognises_encrypted(start: bytes) -> bool:
    return bool(_ENCRYPTED.search(start)) and b'"timestamp"' in start and b'"messages"' in start


SOURCE = Source(
    "Messenger / Instagram",
    claim_each(_recognises),
    _read,
    is_companion=companions(
        r"(?:^|/)(?:ads_information|apps_and_websites_off_of_\w+|connections|logged_information|media"
        r"|files|personal_information|preferences|security_and_login_information|your_(?:instagram"
        r"|facebook)_activity|your_activity_across_facebook)/|(?:^|/)(?:start_here|index)\.html$"
        r"|(?:^|/)messages/(?:[^/]*chat[^/]*|reported_conversations|secret_groups|secret_conversations)\.(?:json|html)$"
    ),
)
ENCRYPTED = Source(
    "Messenger end-to-end encrypted", claim_each(_recognises_encrypted), _read_encrypted, experimental=True
)
