"""iMessage's own database: `chat.db` of macOS, `sms.db` of an iPhone's backup.

Learned from ReagentX/imessage-exporter (imessage-database). Times count from 2001-01-01 UTC, in nanoseconds since macOS
10.13 and in seconds before. Since macOS 13 the text is mostly in `attributedBody` alone, a typedstream of which the first
string is read. Columns that an older macOS lacks are done without. What is_from_me is by `Me`; names of others are their
numbers and addresses, for the address book is elsewhere. Tapbacks are service messages, and
reactions of what they answer.
"""

import contextlib
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from trainer.sources.files.tree import Tree, head
from trainer.sources.message import Message, MessageKind, Reject
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.source import Reading, Source

ME = "Me"
_MAGIC = b"SQLite format 3\0"
_COLUMNS = (b"chat_message_join", b"is_from_me", b"handle_id")
# Where the tables' names stand further inside the file: macOS, iOS, and its name in an iPhone's backup.
_NAMES = ("chat.db", "sms.db", "3d0d7e5fb2ce288813306e4d4636395e047a3d28")
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC).timestamp()
_NANOSECONDS = 1 << 40  # a date above it, 36,000 years in seconds, is in nanoseconds
_OPTIONAL = {
    "attributedBody": "NULL",
    "associated_message_type": "0",
    "item_type": "0",
    "is_system_message": "0",
    "is_service_message": "0",
    "thread_originator_guid": "''",
    "date_edited": "0",
    "date_retracted": "0",
    "balloon_bundle_id": "''",
}
_QUERY = """
SELECT m.ROWID, m.guid, m.text, {optional}, m.is_from_me, m.date, coalesce(h.id, ''), coalesce(c.guid, ''),
       coalesce(c.display_name, ''), coalesce(c.chat_identifier, ''), coalesce(c.style, 0),
       (SELECT group_concat(coalesce(a.mime_type, a.transfer_name, 'file'), char(31))
          FROM message_attachment_join aj JOIN attachment a ON a.ROWID = aj.attachment_id WHERE aj.message_id = m.ROWID),
       {tapbacks}
FROM message m
LEFT JOIN handle h ON h.ROWID = m.handle_id
LEFT JOIN chat_message_join cj ON cj.message_id = m.ROWID
LEFT JOIN chat c ON c.ROWID = cj.chat_id
ORDER BY m.ROWID
"""
# What was tapped back to a message or to one of its first parts: type, emoji and author of each.
_TAPBACKS_OF = """
(SELECT group_concat(t.associated_message_type || char(31) || coalesce({emoji}, '') || char(31) ||
                     CASE t.is_from_me WHEN 1 THEN 'Me' ELSE coalesce(th.id, '') END, char(30))
   FROM message t LEFT JOIN handle th ON th.ROWID = t.handle_id
  WHERE t.associated_message_guid IN ('p:0/' || m.guid, 'p:1/' || m.guid, 'p:2/' || m.guid, 'bp:' || m.guid, m.guid)
    AND t.associated_message_type BETWEEN 2000 AND 3999)
"""
_TAPBACK_EMOJI = ("❤️", "👍", "👎", "😂", "‼️", "❓")
_REMOVES = 1000  # the type of a tapback that is taken back, less that of the tapback
_GROUP = 43  # chat.style: 43 is a group, 45 is one person
_LINKS = "URLBalloonProvider"  # the balloon of a link, whose text is the link; those of apps have a placeholder
_SERVICES = ("PeerPayment", "PassbookUI", "SafetyMonitor")  # Apple Cash and Check In
_TAPBACKS = range(2000, 4000)
_STRING = re.compile(rb"NS(?:Mutable)?String\x01[\x94\x95]\x84\x01[+*]")
_OBJECT = "\ufffc"  # stands for an attachment in a text


class _Row(NamedTuple):
    """A message of the database."""

    number: int
    guid: str
    text: str | None
    body: bytes | None
    associated: int
    item: int
    system: int
    service: int
    thread: str
    edited: int
    retracted: int
    balloon: str
    mine: int
    date: int
    handle: str
    chat: str
    chat_name: str
    chat_identifier: str
    style: int
    files: str | None
    tapbacks: str | None


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Claim each database with its write-ahead journal."""
    listed = set(names)
    return [
        (name, *(journal for journal in (f"{name}-wal", f"{name}-shm") if journal in listed))
        for name in names
        if _recognises(name, head(tree, name))
    ]


def _recognises(name: str, start: bytes) -> bool:
    if not start.startswith(_MAGIC):
        return False
    return name.rpartition("/")[2] in _NAMES or all(column in start for column in _COLUMNS)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    """Read from a copy: SQLite writes beside a file that has a journal."""
    with tempfile.TemporaryDirectory(prefix="alterego-") as folder:
        for name in members:
            with tree.open(name) as source, (Path(folder) / f"chat.db{name[len(members[0]) :]}").open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        database = sqlite3.connect(Path(folder) / "chat.db")
        with contextlib.closing(database):
            try:
                yield from _messages(database, members[0])
            except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
                yield Reject(file=members[0], offset=0, reason=f"the database can't be read further ({error})")


def _messages(database: sqlite3.Connection, file: str) -> Iterator[Message | Reject]:
    database.execute("PRAGMA trusted_schema = OFF")
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    columns = {str(column[1]) for column in database.execute("PRAGMA table_info(message)")}
    optional = ", ".join(f"m.{name}" if name in columns else default for name, default in _OPTIONAL.items())
    tapbacks = "NULL"
    if "associated_message_guid" in columns:
        with contextlib.suppress(sqlite3.Error):  # the copy may be damaged; then this is slow at worst
            database.execute("CREATE INDEX IF NOT EXISTS tapbacks ON message(associated_message_guid)")
        emoji = "t.associated_message_emoji" if "associated_message_emoji" in columns else "NULL"
        tapbacks = _TAPBACKS_OF.format(emoji=emoji)
    for values in database.execute(_QUERY.format(optional=optional, tapbacks=tapbacks)):
        row = _Row(*values)
        try:
            yield _message(row)
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            yield Reject(
                file=file, offset=row.number, reason=f"no readable row ({error})", raw=str(row.text or row.guid)
            )


def _message(row: _Row) -> Message:
    group = row.style == _GROUP or row.chat.split(";")[1:2] == ["+"]
    text = row.text or (_text_of(row.body) if row.body else "")
    is_card = bool(row.balloon) and _LINKS not in row.balloon
    media = tuple(medium_of(name) for name in (row.files or "").split("\x1f") if name)
    return Message(
        platform="imessage",
        conversation_id=row.chat or row.chat_identifier,
        conversation_type="group" if group else "dm",
        conversation_name=row.chat_name or row.chat_identifier,
        message_id=row.guid or str(row.number),
        sender_id="" if row.mine else row.handle,
        sender_name=ME if row.mine else row.handle,
        is_self=bool(row.mine),
        timestamp=_timestamp(row.date),
        edited_at=_timestamp(row.edited),
        kind=_kind(row),
        text="" if is_card else text.replace(_OBJECT, "").strip(),
        reply_to_id=row.thread or "",
        attachments=media or (("app",) if is_card else ()),
        reactions=_reactions(row.tapbacks),
    )


def _reactions(tapbacks: str | None) -> tuple[tuple[str, str], ...]:
    """Emoji and author of each tapback that was not taken back."""
    given: dict[tuple[int, str], str] = {}
    for tapback in (tapbacks or "").split("\x1e"):
        number, _, rest = tapback.partition("\x1f")
        emoji, _, author = rest.partition("\x1f")
        type_number = int(number) if number.isdecimal() else 0
        if type_number >= _TAPBACKS.start + _REMOVES:
            given.pop((type_number - _REMOVES, author), None)
        elif emoji or type_number - _TAPBACKS.start in range(len(_TAPBACK_EMOJI)):
            given[type_number, author] = emoji or _TAPBACK_EMOJI[type_number - _TAPBACKS.start]
    return tuple((emoji, author) for (_, author), emoji in given.items())


def _kind(row: _Row) -> MessageKind:
    if row.item or row.system or row.service or (row.associated or 0) in _TAPBACKS:
        return "service"
    if any(app in (row.balloon or "") for app in _SERVICES):
        return "service"
    return "unsupported" if row.retracted else "message"


def _timestamp(date: int | None) -> float | None:
    if not date:
        return None
    return _EPOCH + (date / 1e9 if abs(date) > _NANOSECONDS else date)


def _text_of(body: bytes) -> str:
    """Return the first string of a typedstream.

    Its length is one byte, or two after 0x81, or four after 0x82, little-endian;
    then come its UTF-8 bytes.
    """
    match = _STRING.search(body)
    if not match:
        return ""
    at = match.end()
    mark = body[at : at + 1]
    width = {b"\x81": 2, b"\x82": 4}.get(mark, 0)
    length = int.from_bytes(body[at + 1 : at + 1 + width], "little") if width else int.from_bytes(mark, "little")
    return body[at + 1 + width :][:length].decode("utf-8", "replace")


SOURCE = Source("iMessage chat.db", _claim, _read, experimental=True)
