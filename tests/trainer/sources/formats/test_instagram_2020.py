"""Instagram's messages.json of 2020 and before."""

import json
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read

HERE = FIXTURES / "instagram_2020" / "messages.json"


@pytest.mark.parametrize("indent", [2, None])
def test_a_list_of_chats(tmp_path: Path, indent: int | None) -> None:
    """Texts, media and shares without captions of others; likes with their authors; whatever the layout."""
    path = tmp_path / "messages.json"
    path.write_text(json.dumps(json.loads(HERE.read_text(encoding="utf-8")), indent=indent), encoding="utf-8")
    messages, rejects = read(path)
    assert [(one.sender_name, one.kind, one.text, one.attachments) for one in messages] == [
        ("coot_bo", "call", "Video chat ended", ()),
        ("coot_bo", "message", "❤️", ()),
        ("heron_ida", "message", "what a pond", ()),
        ("coot_bo", "message", "", ("link",)),
        ("coot_bo", "message", "", ("link",)),
        ("heron_ida", "message", "", ("photo",)),
        ("heron_ida", "message", "", ("voice",)),
        ("heron_ida", "message", "see this\nhttps://example.org/pond", ()),
        ("coot_bo", "message", "žádné husy", ()),
        ("rail", "message", "three of us", ()),
        ("rail", "service", "rail named the group Pond", ()),
    ]
    assert messages[2].reactions == (("❤", "coot_bo"),)
    assert messages[-1].timestamp == 1583299206.123456
    assert [one.conversation_type for one in messages] == ["dm"] * 9 + ["group"] * 2
    assert {one.conversation_id for one in messages} == {"coot_bo + heron_ida", "coot_bo + heron_ida + rail"}
    assert rejects == []
