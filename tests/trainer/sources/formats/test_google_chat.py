"""Google Chat out of a Takeout."""

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.registry import find


def test_a_takeout_has_private_messages_and_spaces() -> None:
    """Dates in English with odd blanks, files, quotations, what was deleted, bots."""
    messages, rejects = read(FIXTURES / "google_chat")
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("Wren", "tea?", (), "message"),
        ("Lark", "", ("photo",), "message"),
        ("Lark", "", (), "unsupported"),
        ("Beeper", "beep", (), "message"),
    ]
    assert [one.timestamp for one in messages[:2]] == [1614877567.0, 1614816367.0]
    assert (messages[1].reply_to_id, messages[1].quoted_text) == ("abc1/t1/t1", "tea?")
    assert {(one.conversation_id, one.conversation_name, one.conversation_type) for one in messages} == {
        ("DM abc1", "Wren + Lark", "dm"),
        ("Space def2", "The kettle", "group"),
    }
    assert (messages[3].is_bot, messages[3].timestamp) == (True, None)
    assert rejects == []
    assert all(export.source.experimental for export in find(FIXTURES / "google_chat"))
