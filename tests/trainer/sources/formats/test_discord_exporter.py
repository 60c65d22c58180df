"""DiscordChatExporter's JSON."""

import json
from pathlib import Path
from typing import Any

from tests.trainer.sources.reading import read


def row(number: int, text: str, **more: Any) -> dict[str, Any]:
    author = {"id": "5", "name": "ana_", "nickname": "Ana", "isBot": False}
    return {
        "id": str(number),
        "type": "Default",
        "timestamp": "2022-05-06T07:08:09.123+02:00",
        "content": text,
        "author": author,
        **more,
    }


def export(tmp_path: Path, rows: list[dict[str, Any]], kind: str = "GuildTextChat") -> Path:
    path = tmp_path / "channel.json"
    content = {
        "guild": {"id": "1", "name": "g"},
        "channel": {"id": "2", "type": kind, "name": "c"},
        "dateRange": {"after": None},
        "messages": rows,
    }
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return path


def test_messages_carry_their_channel_author_and_parent(tmp_path: Path) -> None:
    """Nicknames are how people are seen; the account's name is their handle."""
    rows = [row(1, "hi"), row(2, "<:wave:123456789012345678> yes", type="Reply", reference={"messageId": "1"})]
    (first, second), rejects = read(export(tmp_path, rows))
    assert (first.conversation_id, first.conversation_type, first.conversation_name) == ("2", "group", "c")
    assert (first.sender_id, first.sender_name, first.sender_handle) == ("5", "Ana", "ana_")
    assert first.timestamp == 1651813689.123
    assert (second.reply_to_id, second.text) == ("1", ":wave: yes")
    assert rejects == []


def test_what_is_no_message_is_told_apart(tmp_path: Path) -> None:
    """Joins and pins, bots, forwards, attachments, private channels."""
    bot = {"author": {"id": "9", "name": "b", "isBot": True}}
    rows = [
        row(1, "Joined the server.", type="GuildMemberJoin"),
        row(2, "beep", **bot),
        row(3, "", forwardedMessage={"content": "x"}),
        row(4, "", attachments=[{"fileName": "a.PNG"}, {"fileName": "b.ogg"}], stickers=[{"name": "lol"}]),
    ]
    messages, _ = read(export(tmp_path, rows, "DirectTextChat"))
    assert [(one.kind, one.is_bot, bool(one.forwarded_from), one.attachments) for one in messages] == [
        ("service", False, False, ()),
        ("message", True, False, ()),
        ("message", False, True, ()),
        ("message", False, False, ("photo", "voice", "sticker lol")),
    ]
    assert {one.conversation_type for one in messages} == {"dm"}
