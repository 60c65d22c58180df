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


def test_words_beside_what_the_app_says(tmp_path: Path) -> None:
    """An action with words is a message, and a link that stands in them stands there once."""
    rows = [
        {"sender": "bo", "created_at": "2020-03-01T10:00:00+00:00", "action": "bo shared a post", "text": "look"},
        {
            "sender": "bo",
            "created_at": "2020-03-01T09:00:00+00:00",
            "link": "https://x.org",
            "text": "see https://x.org",
        },
        {"sender": "bo", "created_at": "2020-03-01T08:00:00+00:00", "profile_share_username": "cy"},
        {"sender": "bo", "created_at": "2020-03-01T07:00:00+00:00", "animated_media_images": {"x": 1}},
    ]
    chats = [{"participants": ["ida", "bo"], "conversation": rows}]
    (tmp_path / "messages.json").write_text(json.dumps(chats), encoding="utf-8")
    messages, _ = read(tmp_path)
    assert [(one.kind, one.text, one.attachments) for one in messages] == [
        ("message", "look", ()),
        ("message", "see https://x.org", ()),
        ("message", "", ("contact",)),
        ("message", "", ("gif",)),
    ]
    assert {one.conversation_id for one in messages} == {"bo + ida"}
