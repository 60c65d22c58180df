"""A Matrix room, as Element exports it."""

import json
from pathlib import Path
from typing import Any

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


def test_reactions_are_events_of_their_own(tmp_path: Path) -> None:
    """They come behind the message, and name who reacted as far as the room does."""

    def event(number: int, sender: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "event_id": f"$e{number}",
            "sender": sender,
            "type": kind,
            "origin_server_ts": number,
            "content": content,
        }

    def reaction(number: int, sender: str) -> dict[str, Any]:
        relation = {"rel_type": "m.annotation", "event_id": "$e2", "key": "🥨"}
        return event(number, sender, "m.reaction", {"m.relates_to": relation})

    events = [
        event(1, "@bo:x.org", "m.room.member", {"displayname": "Bo", "membership": "join"}),
        event(2, "@ana:x.org", "m.room.message", {"msgtype": "m.text", "body": "bread"}),
        reaction(3, "@bo:x.org"),
        reaction(4, "@cy:x.org"),
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"room_name": "Pond", "exported_by": "ana", "messages": events}))
    messages, rejects = read(path)
    assert {one.message_id: one.reactions for one in messages if one.kind == "message"} == {
        "$e2": (("🥨", "@bo:x.org", "Bo"), ("🥨", "@cy:x.org", ""))
    }
    assert rejects == []
