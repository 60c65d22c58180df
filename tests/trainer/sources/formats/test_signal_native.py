"""Signal's own export."""

from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read


def test_frames_of_the_backup() -> None:
    """Names by their rank, quotations by their time, mentions, media, polls; calls and changes are nobody's words."""
    messages, rejects = read(FIXTURES / "signal_native")
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("Tibo Mol", "hey Odile", (), "message"),
        ("Odile Vee", "hey Tibo", (), "message"),
        ("Odile Vee", "", (), "call"),
        ("Juniper", "@Tibo Mol the lock", ("photo",), "message"),
        ("Tibo Mol", "", ("sticker 🦆",), "message"),
        ("Odile Vee", "", ("voice",), "message"),
        ("Tibo Mol", "", (), "deleted"),
        ("Tibo Mol", "", (), "service"),
        ("Juniper", "oars?\nold\nnew", ("poll",), "message"),
        ("Odile Vee", "", ("photo",), "message"),
    ]
    assert messages[0].reactions == (("😂", "", "Odile Vee"),)
    assert (messages[1].reply_to_id, messages[1].is_self) == (messages[0].message_id, True)
    assert messages[0].timestamp == 1772359200.0
    assert {(one.conversation_name, one.conversation_type) for one in messages} == {
        ("Tibo Mol", "dm"),
        ("Canal Crew", "group"),
    }
    assert rejects == []


def test_a_damaged_line_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    """Between whole ones, and where the file was cut."""
    lines = (FIXTURES / "signal_native/main.jsonl").read_text(encoding="utf-8").splitlines()
    lines.insert(9, '{"chatItem": {"chatId": ')
    (tmp_path / "main.jsonl").write_text("\n".join(lines) + '\n{"chatItem"', encoding="utf-8")
    messages, rejects = read(tmp_path)
    assert (len(messages), len(rejects)) == (10, 2)
