"""Which formats there are, and what the importer makes of what a reader yields."""

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.trainer.sources.reading import FIXTURES, written, zipped
from trainer.sources.files.leftovers import Leftover
from trainer.sources.files.tree import FileTree, Tree
from trainer.sources.message import Message, Reject
from trainer.sources.registry import FORMATS, SOURCES, Export, find
from trainer.sources.source import Source


def yielded(tmp_path: Path, **fields: Any) -> list[Message | Reject]:
    """What comes of one message of a reader whose fields are these."""
    path = tmp_path / "x.txt"
    path.write_text("x")
    basis = {"platform": "x", "conversation_id": "1", "conversation_type": "group", "message_id": "1"}
    message = Message(**{**basis, "sender_id": "", "sender_name": "Ana", "text": "hi", **fields})

    def read(_: Tree, members: Sequence[str]) -> Iterator[Message | Reject]:
        yield message

    return list(Export(Source("x", lambda tree, names: [], read), FileTree(path), ("x.txt",)).read(lambda _: None))


def test_an_unknown_type_of_conversation_is_rejected(tmp_path: Path) -> None:
    """It is not taken for a group: nobody knows whether it is private."""
    (reject,) = yielded(tmp_path, conversation_type="private")
    assert isinstance(reject, Reject)
    assert reject.reason == "unknown conversation type 'private', so nobody knows whether it is private"
    assert (reject.raw, reject.file) == ("hi", "x.txt")


def test_an_unknown_kind_of_message_is_rejected(tmp_path: Path) -> None:
    """Nobody knows whether somebody said it."""
    (reject,) = yielded(tmp_path, kind="poll")
    assert isinstance(reject, Reject)
    assert reject.reason == "unknown kind of message 'poll'"


def test_reactions_are_pairs_of_emoji_and_name(tmp_path: Path) -> None:
    """By default there are none."""
    (plain,) = yielded(tmp_path)
    assert isinstance(plain, Message)
    assert plain.reactions == ()
    (liked,) = yielded(tmp_path, reactions=(("👍", "Bo"),))
    assert isinstance(liked, Message)
    assert liked.reactions == (("👍", "Bo"),)


CHAT = "04.03.21, 22:05 - Bo: a\n04.03.21, 22:06 - Ana: d\n"


def left_in(path: Path) -> dict[str, str]:
    """What of `path` no reader knows, by label."""
    leftovers: list[Leftover] = []
    list(find(path, lambda _: None, leftovers.append))
    return {leftover.label: leftover.reason for leftover in leftovers}


def test_every_file_that_no_reader_knows_is_named(tmp_path: Path) -> None:
    """Text, JSON, CSV, HTML and packed files, beside an export that is read; pictures and documents are not."""
    folder = written(
        tmp_path / "all",
        {
            "chat.txt": CHAT,
            "notes.txt": "buy milk",
            "data.json": '{"mood": "fine"}',
            "list.csv": "what,how many,where\nmilk,2,shop\n",
            "page.html": "<!DOCTYPE html><p>hi",
            "empty.json": "[]",
            "letter.rtf": "{\\rtf1\\ansi Dear diary}",
            "talk.txt": "[LINE] is an app",
            "short.csv": "word\nmilk\n",
            "part.html": "<div>hi</div>",
            "sms.xml": '<?xml version="1.0"?><smses/>',
            "mail.eml": "From: a@example.org\n\nhi",
            "msgstore.db.crypt15": "secret",
            "card.vcf": "BEGIN:VCARD",
        },
    )
    (folder / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "old.json.gz").write_bytes(gzip.compress(b'{"mood": "fine"}'))
    (folder / "old.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    (folder / "old.lz4").write_bytes(b"\x04\x22\x4d\x18\0")
    (folder / "msgstore.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    zipped(folder / "inner.zip", {"_diary.txt": "dear diary"})
    zipped(folder / "paper.docx", {"word/document.xml": "<w/>"})
    assert left_in(folder) == {
        "all/notes.txt": "text of a kind that no reader knows",
        "all/data.json": "JSON of a kind that no reader knows",
        "all/list.csv": "CSV of a kind that no reader knows",
        "all/page.html": "HTML of a kind that no reader knows",
        "all/letter.rtf": "RTF of a kind that no reader knows",
        "all/talk.txt": "text of a kind that no reader knows",
        "all/short.csv": "CSV of a kind that no reader knows",
        "all/part.html": "HTML of a kind that no reader knows",
        "all/sms.xml": "XML of a kind that no reader knows",
        "all/mail.eml": "text of a kind that no reader knows",
        "all/msgstore.db": "a database of a kind that no reader knows",
        "all/msgstore.db.crypt15": "an encrypted backup; export the chats in the app instead",
        "all/old.lz4": "an archive that is not opened here; unpack it and name the folder",
        "old.json.gz": "JSON of a kind that no reader knows",
        "all/old.7z": "an archive that is not opened here; unpack it and name the folder",
        "inner.zip": "nothing in it is of a kind that a reader knows, such as _diary.txt",
    }


def test_an_archive_inside_an_archive_is_named(tmp_path: Path) -> None:
    """Also if something else in the outer one is read."""
    inner = zipped(tmp_path / "inner.zip", {"chat.txt": CHAT})
    path = zipped(tmp_path / "outer.zip", {"chat.txt": CHAT})
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(inner, "inner.zip")
    assert left_in(path) == {"outer.zip/inner.zip": "an archive that is not opened here; unpack it and name the folder"}


def test_source_code_is_nobodys_export(tmp_path: Path) -> None:
    """Though its lines may look like somebody's words."""
    folder = written(tmp_path / "src", {"a.py": "ANA:\nhello\n\nBO:\nhi\n", "run": "#!/bin/sh\nANA:\nhello\n"})
    assert list(find(folder)) == []
    assert set(left_in(folder).values()) == {"source code, which is nobody's export"}


def test_what_belongs_to_an_export_is_no_leftover() -> None:
    """No fixture has a file that is not explained."""
    for folder in sorted(FIXTURES.iterdir()):
        assert left_in(folder) == {}, folder.name


def test_a_format_is_a_file_and_a_line() -> None:
    """Every module of formats/ is asked, in the order of the list."""
    modules = {path.stem for path in Path("trainer/sources/formats").glob("*.py")} - {"__init__"}
    assert set(FORMATS) == modules
    assert len(FORMATS) == len(modules)
    assert len({source.name for source in SOURCES}) == len(SOURCES) >= len(FORMATS)
