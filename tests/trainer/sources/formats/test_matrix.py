"""A Matrix room as Element exports it."""

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.registry import find


def test_a_room_is_events() -> None:
    """Names from joining, reply fallbacks, edits under the first id, files, what could not be decrypted, redactions."""
    messages, rejects = read(FIXTURES / "matrix")
    assert [
        (one.message_id, one.sender_name, one.text, one.attachments) for one in messages if one.kind == "message"
    ] == [
        ("$e2", "Teal", "anyone", ()),
        ("$e3", "smew", "me", ()),
        ("$e3", "smew", "mee", ()),
        ("$e5", "Teal", "", ("photo",)),
        ("$e6", "Teal", "", ("sticker 🦆",)),
        ("$e10", "bot", "beep", ()),
        ("$e12", "Teal", "", ("voice",)),
        ("$e13", "smew", "in the reeds", ()),
    ]
    assert {one.message_id: one.kind for one in messages if one.kind != "message"} == {
        "$e1": "service",
        "$e7": "unsupported",
        "$e8": "unsupported",
        "$e9": "unsupported",
        "$e11": "call",
    }
    by_id = {one.message_id: one for one in reversed(messages)}
    assert (by_id["$e3"].reply_to_id, by_id["$e3"].quoted_text) == ("$e2", "anyone\nhere")
    assert (by_id["$e13"].reply_to_id, by_id["$e13"].thread_id) == ("", "$e2")
    assert by_id["$e10"].is_bot
    assert {(one.conversation_id, one.conversation_name, one.conversation_type) for one in messages} == {
        ("!r:example.org", "Mill Pond", "group")
    }
    assert rejects == []
    assert all(export.source.experimental for export in find(FIXTURES / "matrix"))
