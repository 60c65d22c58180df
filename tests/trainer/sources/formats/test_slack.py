"""Slack's workspace export."""

import json
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read, written

HERE = FIXTURES / "slack"


def test_a_workspace_knows_its_people_and_channels() -> None:
    """Display names, threads, markup, bots, files, private conversations."""
    messages, rejects = read(HERE)
    by_id = {one.message_id: one for one in messages}
    answer = by_id["1614902402.000200"]
    assert answer.text == "@ada see https://example.com/a?b=1&c=2 <3 @here in #general"
    assert (answer.sender_id, answer.sender_name, answer.sender_handle) == ("U0BO", "Bo Reed", "bo")
    assert (answer.reply_to_id, answer.mentions) == ("1614902401.000100", (("U0ADA", "ada"),))
    assert by_id["1614902401.000100"].reply_to_id == ""
    assert {one.conversation_id: one.conversation_type for one in messages} == {
        "C0GEN": "group",
        "D0DM": "dm",
        "G0MP": "dm",
    }
    files = by_id["1614800002.000000"]
    assert (files.sender_name, files.attachments, files.edited_at) == ("Zoe P", ("photo", "file"), 1614800005.0)
    assert by_id["1614800001.000000"].is_bot
    assert {one.message_id: one.kind for one in messages if one.kind != "message"} == {
        "1614800000.000000": "service",
        "1614800003.000000": "service",
        "1614800004.000000": "call",
    }
    assert rejects == []


def test_words_that_stand_in_blocks_alone_are_read(tmp_path: Path) -> None:
    """What an app posts may have no text of its own."""
    words = [{"type": "text", "text": "up, "}, {"type": "user", "user_id": "U1"}, {"type": "emoji", "name": "wave"}]
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}]
    row = {"type": "message", "ts": "1614800100.000000", "user": "U2", "text": "", "blocks": blocks}
    (tmp_path / "d.json").write_text(json.dumps([row]))
    (message,), rejects = read(tmp_path / "d.json")
    assert message.text == "up, @someone:wave:"
    assert rejects == []


def test_a_day_alone_is_read_too(tmp_path: Path) -> None:
    """Without names, by ids."""
    text = (HERE / "D0DM/2021-03-04.json").read_text()
    (message,), rejects = read(written(tmp_path, {"2021-03-04.json": text}) / "2021-03-04.json")
    assert (message.sender_id, message.sender_name, message.text) == ("U0BO", "", "psst")
    assert rejects == []
