"""Google Chat out of a Takeout."""

from pathlib import Path

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


def test_reactions_name_addresses(tmp_path: Path) -> None:
    """As Takeout lists them; an emoji of the workspace's own has no character."""
    reactions = '[{"emoji": {"unicode": "🥨"}, "reactor_emails": ["bo@x.org"]}, {"emoji": {"custom_emoji": {}}}]'
    row = (
        f'{{"creator": {{"name": "Ana"}}, "created_date": "", "topic_id": "t", "text": "hi", "reactions": {reactions}}}'
    )
    (tmp_path / "messages.json").write_text(f'{{"messages": [{row}]}}', encoding="utf-8")
    (message,), _ = read(tmp_path / "messages.json")
    assert message.reactions == (("🥨", "bo@x.org"),)
