"""Messenger and Instagram: mojibake, what stands after the messages, and the encrypted shape."""

import json
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.registry import find


def test_a_thread_is_mended_string_by_string() -> None:
    """Each string for itself: what is no mojibake stays as it is."""
    messages, rejects = read(FIXTURES / "messenger")
    assert [(one.sender_name, one.text, one.attachments) for one in messages if one.kind == "message"] == [
        ("Ibo", "až zítra 😅", ()),
        ("Nina", "", ("photo", "photo")),
        ("Nina", "https://example.com/pond", ()),
        ("Žofie Nová", "", ("sticker",)),
        ("Nina", "café already right … 🙂", ()),
        ("Nina", "ok", ()),
        ("Nina", "ok", ()),
    ]
    assert [one.kind for one in messages if one.kind != "message"] == ["call", "unsupported", "service", "service"]
    assert {(one.conversation_id, one.conversation_name, one.conversation_type) for one in messages} == {
        ("ninaandtheothers_12345", "Nina and the others 🦆", "group")
    }
    assert messages[0].timestamp == 1600000009.0
    assert len({one.message_id for one in messages}) == len(messages)
    assert rejects == []


def test_a_thread_keeps_its_id_wherever_its_file_lies(tmp_path: Path) -> None:
    """And however it is laid out."""
    source = FIXTURES / "messenger/messages/inbox/ninaandtheothers_12345/message_1.json"
    copy = tmp_path / "chat.json"
    copy.write_text(json.dumps(json.loads(source.read_text(encoding="utf-8-sig"))))
    here, _ = read(FIXTURES / "messenger")
    there, _ = read(copy)
    assert [(one.conversation_id, one.message_id) for one in here] == [
        (one.conversation_id, one.message_id) for one in there
    ]


def test_the_least_that_is_a_thread(tmp_path: Path) -> None:
    """No title, no participants, no type."""
    rows = [{"sender_name": "A", "timestamp_ms": 1579294140000, "content": "Hi"}, {"sender_name": "B", "timestamp": 1}]
    (tmp_path / "m.json").write_text(json.dumps({"messages": rows}))
    messages, rejects = read(tmp_path / "m.json")
    assert [(one.sender_name, one.text, one.timestamp) for one in messages] == [
        ("A", "Hi", 1579294140.0),
        ("B", "", 1.0),
    ]
    assert rejects == []


def test_the_encrypted_export_has_other_names() -> None:
    """And is called experimental: no real one was seen."""
    messages, rejects = read(FIXTURES / "messenger_encrypted")
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("Žofie", "kde jsi? 😅", (), "message"),
        ("Nina", "", ("video",), "message"),
        ("Nina", "", (), "unsupported"),
    ]
    assert {(one.conversation_name, one.conversation_type) for one in messages} == {("Nina", "dm")}
    assert [export.source.experimental for export in find(FIXTURES / "messenger_encrypted")] == [True]
    assert rejects == []
