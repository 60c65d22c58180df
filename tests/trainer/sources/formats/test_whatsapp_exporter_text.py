"""WhatsApp's database as text, of KnugiHK's exporter."""

from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read

HERE = FIXTURES / "whatsapp_exporter_text"


def test_a_private_chat() -> None:
    """It is called after the other; captions and further lines are indented."""
    messages, rejects = read(HERE / "Bo Lind.txt")
    assert [(one.sender_name, one.is_self, one.text, one.attachments) for one in messages] == [
        ("Bo Lind", False, "psst", ()),
        ("Me", True, "what\nis it: tell", ()),
        ("Bo Lind", False, "my loaf", ("photo",)),
        ("Me", True, "", ("file",)),
    ]
    assert {(one.platform, one.conversation_id, one.conversation_type) for one in messages} == {
        ("whatsapp", "Bo Lind", "dm")
    }
    assert messages[0].timestamp == 1699999980.0
    assert rejects == []


def test_a_group() -> None:
    """Numbers are people who are no contacts."""
    messages, rejects = read(HERE / "Bread table.txt")
    assert [(one.sender_name, one.conversation_type, one.attachments) for one in messages] == [
        ("Bo Lind", "group", ()),
        ("Me", "group", ()),
        ("15550002222", "group", ("voice",)),
        ("Cy", "group", ()),
    ]
    assert rejects == []


@pytest.mark.parametrize("owner", ["Me", "Ida"])
def test_others_texts_of_such_lines_are_not_whatsapps(tmp_path: Path, owner: str) -> None:
    """signal-export's of its first years, whose account is Me."""
    path = tmp_path / "Bo" / "index.md"
    path.parent.mkdir()
    path.write_text(f"[2021-03-04 05:06] Bo: hi\n[2021-03-04 05:07] {owner}: you\n")
    messages, _ = read(tmp_path)
    assert {one.platform for one in messages} == {"signal"}
