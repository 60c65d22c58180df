"""WhatsApp's database in Telegram's layout: the fixture is what the exporter makes of the chats of its other one."""

import json
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read, written

HERE = FIXTURES / "whatsapp_as_telegram"


def test_it_is_whatsapps_although_it_looks_like_telegrams() -> None:
    """Media by their paths, and what the exporter says among the texts."""
    messages, rejects = read(HERE / "Bread-table.json")
    assert [(one.sender_name, one.kind, one.text, one.attachments) for one in messages] == [
        ("", "service", "The group name changed to Bread table", ()),
        ("Me", "message", "who bakes today\nrye or spelt?", ()),
        ("Bo Lind", "message", "I do", ()),
        ("15550002222", "message", "", ("photo",)),
        ("Bo Lind", "message", "", ("file",)),
        ("Bo Lind", "message", "", ("sticker",)),
        ("15550002222", "message", "", ("location",)),
        ("Bo Lind", "deleted", "Message deleted", ()),
        ("Bo Lind", "message", "", ("contact",)),
        ("Bo Lind", "message", "where to?", ()),
        ("", "call", "A video call was missed", ()),
    ]
    assert {(one.platform, one.conversation_id, one.conversation_type) for one in messages} == {
        ("whatsapp", "120363000000000000@g.us", "group")
    }
    assert messages[2].reply_to_id == messages[1].message_id
    assert (messages[1].is_self, messages[3].sender_id) == (True, "15550002222@s.whatsapp.net")
    assert rejects == []


def test_who_speaks_in_a_private_chat() -> None:
    """The other is called as the chat is; the chat is the one of the exporter's own layout."""
    messages, _ = read(HERE / "Bo-Lind.json")
    own, _ = read(FIXTURES / "whatsapp_exporter" / "result.json")
    private = [one for one in own if one.conversation_name == "Bo Lind"]
    assert [(one.conversation_id, one.sender_id, one.sender_name, one.text) for one in messages] == [
        (one.conversation_id, one.sender_id, one.sender_name, one.text) for one in private
    ]
    assert {one.conversation_type for one in messages} == {"dm"}


@pytest.mark.parametrize(("chat_type", "kind"), [("calls", "call"), ("status_broadcast", "message")])
def test_calls_and_status_posts_are_private(tmp_path: Path, chat_type: str, kind: str) -> None:
    """A status is seen by chosen people."""
    chat = json.loads((HERE / "Bo-Lind.json").read_text()) | {"type": chat_type, "name": "x", "id": 0}
    messages, _ = read(written(tmp_path, {"x.json": json.dumps(chat, indent=2)}))
    assert {(one.conversation_type, one.conversation_id, one.kind) for one in messages} == {("dm", "x", kind)}


def test_telegrams_own_is_telegrams() -> None:
    """Whose times are strings, and whose ids are no names."""
    messages, _ = read(FIXTURES / "telegram", only="Telegram JSON")
    assert {one.platform for one in messages} == {"telegram"}
