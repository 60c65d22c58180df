"""Signal, as signal-export writes it."""

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
    assert len({one.message_id for one in messages}) == len(messages)
    assert rejects == []


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
