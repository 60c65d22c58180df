"""Telegram Desktop's result.json, of every age."""

import json
from pathlib import Path
from typing import Any

from tests.trainer.sources.reading import read


def row(number: int, text: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "message",
        "date": "2021-03-04T05:06:07",
        "date_unixtime": "1614834367",
        "from": "Ana",
        "from_id": "user5",
        "text": text,
        **more,
    }


def export(tmp_path: Path, content: Any, indent: int | None = 1) -> Path:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent), encoding="utf-8")
    return path


def chat(rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"name": "table", "type": "private_group", "id": 77, **more, "messages": rows}


def test_text_is_a_string_or_a_mixed_list(tmp_path: Path) -> None:
    """Old files have no text_entities; where they are, they count."""
    rows = [
        row(1, "plain"),
        row(2, ["see ", {"type": "link", "text": "https://example.com"}, " now"]),
        row(3, "old", text_entities=[{"type": "plain", "text": "new "}, {"type": "mention", "text": "@bob"}]),
    ]
    messages, rejects = read(export(tmp_path, chat(rows)))
    assert [one.text for one in messages] == ["plain", "see https://example.com now", "new @bob"]
    assert (messages[0].conversation_id, messages[0].conversation_type, messages[0].timestamp) == (
        "77",
        "group",
        1614834367.0,
    )
    assert rejects == []


def test_a_whole_account_keeps_its_chats_apart(tmp_path: Path) -> None:
    """With private ones marked, and a chat without a name not called like the one before."""
    chats = [chat([row(1, "a")]), {"type": "personal_chat", "id": 8, "messages": [row(1, "b")]}]
    account = {
        "personal_information": {"user_id": 5},
        "chats": {"list": chats},
        "left_chats": {"list": [chat([row(1, "c")], id=9)]},
    }
    for indent in (1, None):
        messages, _ = read(export(tmp_path, account, indent))
        found = [(one.conversation_id, one.conversation_type, one.conversation_name, one.text) for one in messages]
        assert found == [("77", "group", "table", "a"), ("8", "dm", "", "b"), ("9", "group", "table", "c")]


def test_what_is_no_message_is_told_apart(tmp_path: Path) -> None:
    """Service rows, unsupported ones that are only an id, forwards, via-bots, deleted accounts."""
    rows = [
        {"id": 1, "type": "service", "date": "2021-03-04T05:06:07", "action": "create_group", "text": ""},
        {"id": 2, "type": "unsupported"},
        row(3, "x", forwarded_from="Bob"),
        row(4, "x", via_bot="@gif"),
        row(5, "x", **{"from": None}),
        row(6, "", media_type="sticker", sticker_emoji="😀", file="x.webp"),
        row(7, "look", photo="(File not included)"),
    ]
    messages, rejects = read(export(tmp_path, chat(rows)))
    assert [one.kind for one in messages][:2] == ["service", "unsupported"]
    assert messages[2].forwarded_from == "Bob"
    assert messages[3].is_bot
    assert (messages[4].sender_id, messages[4].sender_name) == ("user5", "")
    assert messages[5].attachments == ("sticker 😀",)
    assert messages[6].attachments == ("photo",)
    assert rejects == []


def test_calls_edits_and_forwards_from_deleted_accounts(tmp_path: Path) -> None:
    """A null in forwarded_from is a forward; a mention by name has an id."""
    mention = [{"type": "mention_name", "text": "Bob", "user_id": 7}, {"type": "plain", "text": " hi"}]
    rows = [
        {"id": 1, "type": "service", "date": "2021-03-04T05:06:07", "action": "phone_call", "actor": "Ana", "text": ""},
        row(2, "x", forwarded_from=None),
        row(3, "x", edited="2021-03-04T05:07:07", edited_unixtime="1614834427"),
        row(4, ["Bob", " hi"], text_entities=mention),
    ]
    messages, rejects = read(export(tmp_path, chat(rows)))
    assert [one.kind for one in messages] == ["call", "message", "message", "message"]
    assert [one.forwarded_from for one in messages] == ["", "somebody", "", ""]
    assert messages[2].edited_at == 1614834427.0
    assert (messages[3].text, messages[3].mentions) == ("Bob hi", (("user7", "Bob"),))
    assert rejects == []


def test_replies_into_another_chat_are_no_replies_here(tmp_path: Path) -> None:
    """reply_to_peer_id means another chat."""
    rows = [row(1, "a", reply_to_message_id=9), row(2, "b", reply_to_message_id=9, reply_to_peer_id="chat4")]
    messages, _ = read(export(tmp_path, chat(rows)))
    assert [one.reply_to_id for one in messages] == ["9", ""]


def test_what_the_exporter_breaks_is_mended(tmp_path: Path) -> None:
    """\\xHH escapes, a bare document_id, half a surrogate pair, NUL, bytes that are no UTF-8."""
    path = export(
        tmp_path, chat([row(1, "AAA"), row(2, "BBB"), row(3, "CCC", document_id="7"), row(4, "DDD"), row(5, "EEE")])
    )
    raw = (
        path.read_bytes()
        .replace(b"AAA", b"caf\\xe9 \\\\xe9")
        .replace(b"BBB", b"\\ud83d!")
        .replace(b'"document_id": "7"', b'"document_id": 12_34x')
    )
    path.write_bytes(raw.replace(b"DDD", b"n\\u0000l").replace(b"EEE", b"\xff\xfe?"))
    messages, rejects = read(path)
    assert [one.text for one in messages] == ["café \\xe9", "\ufffd!", "CCC", "n\x00l", "\ufffd\ufffd?"]
    assert rejects == []


def test_a_cut_file_gives_all_up_to_the_cut_and_says_so(tmp_path: Path) -> None:
    """At any byte."""
    path = export(tmp_path, chat([row(number, f"text {number}") for number in range(20)]))
    raw = path.read_bytes()
    for cut in range(raw.index(b"text 1"), len(raw) - 6, 97):
        path.write_bytes(raw[:cut])
        messages, rejects = read(path)
        assert [one.text for one in messages] == [f"text {number}" for number in range(len(messages))]
        assert len(rejects) == 1
        assert rejects[0].reason.startswith("the file is cut off")
