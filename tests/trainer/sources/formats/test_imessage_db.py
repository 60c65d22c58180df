"""iMessage's chat.db: made here with Apple's tables and typedstreams."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.sources.reading import read

# What NSArchiver writes for an attributed string before its characters and after them.
BEFORE = (
    b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84\x08NSObject\x00\x85\x92\x84"
    b"\x84\x84\x08NSString\x01\x94\x84\x01+"
)
AFTER = (
    b"\x86\x84\x02iI\x01\x06\x92\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x01\x92\x84\x96\x96\x1d"
    b"__kIMMessagePartAttributeName\x86\x92\x84\x84\x84\x08NSNumber\x00\x84\x84\x07NSValue\x00\x94\x84\x01*\x84\x99\x99\x00\x86\x86\x86"
)
MOMENT = 674526582_000_000_000  # 2022-05-17 20:29:42 UTC


def body(text: str) -> bytes:
    raw = text.encode()
    size = len(raw)
    length = bytes([size]) if size < 0x80 else b"\x81" + size.to_bytes(2, "little")
    return BEFORE + length + raw + AFTER


def database(path: Path, rows: list[dict[str, Any]], *, old: bool = False, new: str = "") -> Path:
    """A chat.db. old: as before macOS 11, with fewer columns. new: more columns."""
    later = (
        "" if old else ", thread_originator_guid TEXT, date_edited INTEGER DEFAULT 0, date_retracted INTEGER DEFAULT 0"
    )
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, text TEXT, handle_id INTEGER"
        " DEFAULT 0, attributedBody BLOB, is_from_me INTEGER DEFAULT 0, date INTEGER, item_type INTEGER DEFAULT 0,"
        f" associated_message_type INTEGER DEFAULT 0{later}{new});"
        "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT, service TEXT);"
        "CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, style INTEGER, chat_identifier TEXT, display_name TEXT);"
        "CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);"
        "CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY, mime_type TEXT, transfer_name TEXT);"
        "CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER);"
        "INSERT INTO handle VALUES (1, '+15550100', 'iMessage'), (2, 'rue@example.com', 'iMessage');"
        "INSERT INTO chat VALUES (1, 'iMessage;-;+15550100', 45, '+15550100', ''), (2, 'iMessage;+;chat9', 43, 'chat9', 'Gate');"
        "INSERT INTO attachment VALUES (1, 'image/heic', 'a.heic'), (2, NULL, 'b.m4a');"
    )
    for number, row in enumerate(rows, start=1):
        chat, files = row.pop("chat", 1), row.pop("files", ())
        names = ", ".join(row)
        connection.execute(f"INSERT INTO message ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        connection.execute("INSERT INTO chat_message_join VALUES (?, ?)", (chat, number))
        connection.executemany("INSERT INTO message_attachment_join VALUES (?, ?)", [(number, file) for file in files])
    connection.commit()
    connection.close()
    return path


def test_texts_are_in_either_column(tmp_path: Path) -> None:
    """Short and long typedstreams, an object for each attachment, replies, tapbacks, what was taken back."""
    long = "a hen, " * 60
    rows = [
        {"guid": "A", "text": "plain", "handle_id": 1, "date": MOMENT},
        {"guid": "B", "attributedBody": body("only in the body 🐓"), "is_from_me": 1, "date": MOMENT},
        {
            "guid": "C",
            "attributedBody": body(long),
            "handle_id": 2,
            "date": MOMENT,
            "chat": 2,
            "thread_originator_guid": "A",
        },
        {"guid": "D", "text": "\ufffclook", "handle_id": 2, "date": MOMENT, "chat": 2, "files": (1, 2)},
        {"guid": "E", "text": "Loved “plain”", "associated_message_type": 2000, "is_from_me": 1, "date": MOMENT},
        {"guid": "F", "handle_id": 1, "item_type": 2, "date": MOMENT, "chat": 2},
        {"guid": "G", "handle_id": 1, "date": MOMENT, "date_retracted": MOMENT, "date_edited": MOMENT},
    ]
    messages, rejects = read(database(tmp_path / "chat.db", rows))
    assert [(one.message_id, one.text, one.kind) for one in messages] == [
        ("A", "plain", "message"),
        ("B", "only in the body 🐓", "message"),
        ("C", long.strip(), "message"),
        ("D", "look", "message"),
        ("E", "Loved “plain”", "service"),
        ("F", "", "service"),
        ("G", "", "unsupported"),
    ]
    assert [(one.sender_name, one.is_self, one.conversation_type) for one in messages[:3]] == [
        ("+15550100", False, "dm"),
        ("Me", True, "dm"),
        ("rue@example.com", False, "group"),
    ]
    assert messages[0].timestamp == 1652833782.0
    assert messages[2].reply_to_id == "A"
    assert messages[3].attachments == ("photo", "voice")
    assert messages[3].conversation_name == "Gate"
    assert rejects == []


def test_an_old_database_counts_seconds_and_has_fewer_columns(tmp_path: Path) -> None:
    """macOS 10.12 and before."""
    rows = [{"guid": "A", "text": "plain", "handle_id": 1, "date": 474526582}]
    (message,), rejects = read(database(tmp_path / "sms.db", rows, old=True))
    assert message.timestamp == 1452833782.0
    assert rejects == []


@pytest.mark.parametrize("keep", [0.4, 0.7, 0.95])
def test_a_cut_database_is_told(tmp_path: Path, keep: float) -> None:
    """Whatever SQLite makes of it."""
    rows = [{"guid": str(number), "text": "words " * 200, "handle_id": 1, "date": MOMENT} for number in range(60)]
    path = database(tmp_path / "chat.db", rows)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    messages, rejects = read(path)
    assert len(messages) < 60
    assert [one.reason.partition(" (")[0] for one in rejects] == ["the database can't be read further"]


@pytest.mark.parametrize("raw", [b"", b"\x04\x0bstreamtyped", BEFORE, BEFORE + b"\x82\xff", BEFORE + b"\x05ab"])
def test_a_body_without_a_text_is_empty(tmp_path: Path, raw: bytes) -> None:
    """Cut and empty typedstreams."""
    (message,), rejects = read(database(tmp_path / "chat.db", [{"guid": "A", "attributedBody": raw, "date": MOMENT}]))
    assert message.text in ("", "ab")
    assert rejects == []


def test_tapbacks_are_reactions_and_cards_are_not_words(tmp_path: Path) -> None:
    """With their authors, but for those taken back; money and check-ins are services."""
    columns = ", associated_message_guid TEXT, associated_message_emoji TEXT, balloon_bundle_id TEXT"
    said = {"handle_id": 1, "date": MOMENT}
    tap = {"date": MOMENT, "associated_message_guid": "p:0/A"}
    rows: list[dict[str, Any]] = [
        {"guid": "A", "text": "plain", "handle_id": 1, "date": MOMENT},
        tap | {"guid": "B", "text": "Loved “plain”", "associated_message_type": 2000, "is_from_me": 1},
        tap | {"guid": "C", "associated_message_type": 2006, "associated_message_emoji": "🐓", "handle_id": 2},
        tap | {"guid": "D", "associated_message_type": 2001, "handle_id": 1},
        tap | {"guid": "E", "associated_message_type": 3001, "handle_id": 1},
        said | {"guid": "F", "text": "8 Ball", "balloon_bundle_id": "x:y:com.example.pigeon.ext"},
        said | {"guid": "G", "text": "$20", "balloon_bundle_id": "x:PeerPaymentMessagesExtension"},
        said
        | {"guid": "H", "text": "https://example.org", "balloon_bundle_id": "com.apple.messages.URLBalloonProvider"},
    ]
    messages, rejects = read(database(tmp_path / "chat.db", rows, new=columns))
    by_id = {one.message_id: one for one in messages}
    assert by_id["A"].reactions == (("❤️", "Me"), ("🐓", "rue@example.com"))
    assert [by_id[guid].kind for guid in "BCDEFGH"] == [*["service"] * 4, "message", "service", "message"]
    assert (by_id["F"].text, by_id["F"].attachments) == ("", ("app",))
    assert by_id["H"].text == "https://example.org"
    assert rejects == []
