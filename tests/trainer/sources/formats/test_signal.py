"""Signal, as signal-export writes it."""

import json
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read


def test_a_chat_with_one_person() -> None:
    """Quotations, reactions, files, stickers, calls, deletions, and the account as `Me`."""
    messages, rejects = read(FIXTURES / "signal/Juniper")
    assert [(one.sender_name, one.text, one.attachments) for one in messages if one.kind == "message"] == [
        ("Juniper", "are you up?", ()),
        ("Me", "no\ngo away", ()),
        ("Me", "no\ngo away", ()),
        ("Juniper", "rude: but fair", ()),
        ("Me", "", ("photo",)),
        ("Juniper", "", ("sticker 🦆",)),
    ]
    assert [one.kind for one in messages if one.kind != "message"] == ["call", "unsupported", "call"]
    assert (messages[3].reply_to_id, messages[3].quoted_text) == (messages[2].message_id, "")
    assert [one.is_self for one in messages[:2]] == [False, True]
    assert {one.conversation_type for one in messages} == {"dm"}
    assert messages[0].timestamp == 1646370367.0
    assert len({one.message_id for one in messages}) == len(messages) - 1  # said twice in a second: a merge's copy
    assert rejects == []


def test_what_a_merged_export_has_twice_has_one_id(tmp_path: Path) -> None:
    """In the Markdown and in data.json (signal-export issue 203); without seconds, and of media, equals are two."""
    lines = [("05:06:07", "one two"), ("05:06:07", "one two"), ("05:07:08", "ok"), ("05:07:08", "ok")]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "chat.md").write_text("".join(f"[2022-03-04 {at}] Me: {text}  \n" for at, text in lines))
    rows = [
        {"date": f"2022-03-04T{at}.123", "sender": "Me", "body": text, "quote": "", "sticker": "", "reactions": []}
        for at, text in [*lines, ("05:08:09", ""), ("05:08:09", "")]
    ]
    (tmp_path / "a" / "data.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.md").write_text("[2021-03-04, 05:06] Me: ha  \n" * 2)
    messages, _ = read(tmp_path)
    assert len({one.message_id for one in messages if one.text in ("one two", "ok")}) == 2
    assert len({one.message_id for one in messages if one.text == "ha"}) == 2
    assert len({one.message_id for one in messages if one.text == ""}) == 2


def test_quotations_of_2022_have_empty_lines_around(tmp_path: Path) -> None:
    """`>` alone before and after the words (signal-export issue 42)."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "chat.md").write_text(
        "[2021-01-01 00:00] Ann: quote text goes here  \n[2021-01-01 00:01] Me:\n>\n> quote text goes here\n>\nbody here  \n"
        "[2021-01-01 00:02] Ann: \n>\n> gone\n> twice\n>\nbody\n>:( no quote  \n"
    )
    messages, _ = read(tmp_path)
    assert [(one.text, one.quoted_text) for one in messages] == [
        ("quote text goes here", ""),
        ("body here", ""),
        ("body\n>:( no quote", "gone\ntwice"),
    ]
    assert messages[1].reply_to_id == messages[0].message_id


def test_names_of_files_hold_brackets(tmp_path: Path) -> None:
    """As cameras and browsers number them."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "chat.md").write_text(
        "[2022-03-04 05:06:07] Me:   ![pond (1).jpg](./media/2022_00_pond (1).jpg)  \n"
        "[2022-03-04 05:06:08] Bo: see [this]: [doc [v2].pdf](./media/2022_00_doc [v2].pdf)  \n"
    )
    messages, _ = read(tmp_path)
    assert [(one.text, one.attachments) for one in messages] == [("", ("photo",)), ("see [this]:", ("file",))]


def test_folders_are_chats() -> None:
    """Known by the folder's name."""
    messages, rejects = read(FIXTURES / "signal")
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {
        ("Hill Walkers", "group"),
        ("Juniper", "dm"),
    }
    assert [one.attachments for one in messages if one.sender_name == "Alder"] == [("sticker 🥾",)]
    assert rejects == []


def test_older_files_have_commas_and_no_seconds() -> None:
    """And are not taken for WhatsApp's."""
    messages, rejects = read(FIXTURES / "signal_old")
    assert [(one.platform, one.sender_name, one.text) for one in messages] == [
        ("signal", "Sorrel", "the goose is in"),
        ("signal", "Tansy", "out: in\nand out"),
    ]
    assert rejects == []


def test_what_was_not_exported_is_a_placeholder(tmp_path: Path) -> None:
    """With the words beside it, quotations of what is not there, reactions with their authors."""
    text = (
        "[2026-03-01 10:00:30] Bo: hello  \n(- Me: 😂, Nia: 👍 -)\n\n"
        "[2026-03-01 10:02:00] Bo: look  (media not exported)  \n\n"
        "[2026-03-01 10:04:00] Me:   (attachment not exported)  \n\n"
        "[2026-03-01 10:05:00] Nia: \n\n> Photo\n\nlovely  \n\n"
    )
    (tmp_path / "Garden").mkdir()
    (tmp_path / "Garden" / "chat.md").write_text(text, encoding="utf-8")
    messages, rejects = read(tmp_path)
    assert [(one.text, one.attachments, one.quoted_text) for one in messages] == [
        ("hello", (), ""),
        ("look", ("file",), ""),
        ("", ("file",), ""),
        ("lovely", (), ""),
    ]
    assert messages[0].reactions == (("😂", "Me"), ("👍", "Nia"))
    assert rejects == []
