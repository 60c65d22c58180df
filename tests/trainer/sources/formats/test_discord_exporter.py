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


def test_ids_are_names_if_markdown_was_switched_off(tmp_path: Path) -> None:
    """People by the mentions and by what was said before; roles, this channel, times, commands and emoji."""
    roles = [{"id": "6", "name": "bakers"}]
    rows = [
        row(1, "hi <@7> and <@!8> in <#2>", mentions=[{"id": "7", "name": "bo", "nickname": "Bo Baker"}]),
        row(2, "hey <@5> <a:wave:99>", author={"id": "8", "name": "cy", "roles": roles}),
        row(3, "at <t:1772359200:R> <@&6> </roll:70> <@8> a < b <id:guide>", author={"id": "7", "name": "bo"}),
    ]
    messages, _ = read(export(tmp_path, rows))
    assert [one.text for one in messages] == [
        "hi @Bo Baker and @someone in #c",
        "hey @Ana :wave:",
        "at 2026-03-01 10:00 @bakers /roll @cy a < b #guide",
    ]
    assert [one.mentions for one in messages] == [(("7", "Bo Baker"), ("8", "")), (("5", "Ana"),), (("8", "cy"),)]


def test_older_exports_call_a_reply_default(tmp_path: Path) -> None:
    """A reference into another channel is no reply, nor is a forward."""
    rows = [
        row(1, "a", reference={"messageId": "9", "channelId": "2"}),
        row(2, "b", reference={"messageId": "9", "channelId": "3"}),
        row(3, "", reference={"type": "Forward", "messageId": "9", "channelId": "2"}),
        row(4, "Pinned a message.", type="ChannelPinnedMessage", reference={"messageId": "9", "channelId": "2"}),
    ]
    messages, _ = read(export(tmp_path, rows))
    assert [one.reply_to_id for one in messages] == ["9", "", "", ""]
    assert [one.forwarded_from for one in messages] == ["", "", "somebody", ""]


def test_reactions_and_edits_are_read(tmp_path: Path) -> None:
    """An emoji of the server's own by its name."""
    users = [{"id": "7", "name": "bo", "nickname": "Bo"}, {"id": "8", "name": "cy"}]
    reactions = [
        {"emoji": {"id": "", "name": "🥨"}, "count": 2, "users": users},
        {"emoji": {"id": "99", "name": "wave"}, "count": 1, "users": users[:1]},
        {"emoji": {"name": "🧈"}, "count": 1},
    ]
    (message,), _ = read(
        export(tmp_path, [row(1, "x", reactions=reactions, timestampEdited="2022-05-06T07:09:09+02:00")])
    )
    assert message.reactions == (("🥨", "7", "Bo"), ("🥨", "8", "cy"), (":wave:", "7", "Bo"))
    assert message.edited_at == 1651813749.0


def test_a_group_dm_is_a_group_of_friends(tmp_path: Path) -> None:
    """Marked as such: [data] group_dms decides."""
    (message,), _ = read(export(tmp_path, [row(1, "hi")], "DirectGroupTextChat"))
    assert (message.conversation_type, message.is_group_dm) == ("group", True)


def test_an_unknown_key_of_an_empty_message_is_told(tmp_path: Path) -> None:
    """What the exporter adds next year doesn't vanish in silence."""
    _, rejects = read(export(tmp_path, [row(1, ""), row(2, "", poll={"question": "rye?"}), row(3, "x", poll={})]))
    assert [reject.reason for reject in rejects] == ["a message without text, but with 'poll': not read"]


def test_a_time_of_null_is_a_message_without_one(tmp_path: Path) -> None:
    """It is read, in the file's order; so is what else a tool has set to null."""
    rows = [row(number, text) for number, text in enumerate(("one", "two", "three"), start=1)]
    rows[1] |= {"timestamp": None, "embeds": None, "reactions": None}
    messages, rejects = read(export(tmp_path, rows))
    assert [(message.text, message.timestamp is None) for message in messages] == [
        ("one", False),
        ("two", True),
        ("three", False),
    ]
    assert rejects == []
