"""Messenger and Instagram: mojibake, what stands after the messages, and the encrypted shape."""

import json
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.files.leftovers import Leftover
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


def thread(tmp_path: Path, *rows: dict[str, object]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, text and attachments of what is read of these rows, newest first."""
    (tmp_path / "message_1.json").write_text(json.dumps({"participants": [{"name": "Ana"}], "messages": rows}))
    messages, rejects = read(tmp_path)
    assert rejects == []
    return [(one.kind, one.text, one.attachments) for one in messages]


def test_an_edited_text_is_read_once(tmp_path: Path) -> None:
    """In its last version; what is said in between stays."""
    rows = [
        {"sender_name": "Ana", "timestamp_ms": 800_000, "content": "last year, in June (edited)"},
        {"sender_name": "Ana", "timestamp_ms": 795_000, "content": "hello all"},
        {"sender_name": "Bo", "timestamp_ms": 793_000, "content": "last year"},
        {"sender_name": "Ana", "timestamp_ms": 790_000, "content": "last year"},
    ]
    assert [(kind, text) for kind, text, _ in thread(tmp_path, *rows)] == [
        ("message", "last year, in June"),
        ("message", "hello all"),
        ("message", "last year"),
        ("deleted", "last year"),
    ]


def test_what_the_app_writes_for_what_was_sent(tmp_path: Path) -> None:
    """A link, a medium, or nothing but a note; in the account's language."""
    shared: dict[str, object] = {"sender_name": "Ana", "share": {"link": "https://example.org/x"}}
    rows = [
        shared | {"timestamp_ms": 5, "content": "Ana hat einen Anhang gesendet."},
        shared | {"timestamp_ms": 4, "content": "Ana sent a GIF."},
        {"sender_name": "Ana", "timestamp_ms": 3, "content": "Ana a envoyé une photo.", "photos": [{"uri": "a.jpg"}]},
        {"sender_name": "Ana", "timestamp_ms": 2, "content": "Ana cambió el tema a Amor."},
        {"sender_name": "Ana", "timestamp_ms": 1, "content": "look", "share": {"link": "https://example.org/y"}},
    ]
    assert thread(tmp_path, *rows) == [
        ("message", "https://example.org/x", ()),
        ("message", "", ("gif",)),
        ("message", "", ("photo",)),
        ("service", "Ana cambió el tema a Amor.", ()),
        ("message", "look\nhttps://example.org/y", ()),
    ]


def test_a_story_that_is_answered_was_not_sent(tmp_path: Path) -> None:
    """Its link stands beside the words, or beside the app's label; a story that was passed on is a link."""
    story = {"sender_name": "Ana", "share": {"link": "https://instagram.com/stories/bo/1"}}
    rows: list[dict[str, object]] = [
        story | {"timestamp_ms": 5, "content": "what a pond"},
        story | {"timestamp_ms": 4, "content": "Replied to your story"},
        story | {"timestamp_ms": 3, "content": "Reagiu com 😂 ao seu story"},
        story | {"timestamp_ms": 2, "content": "Ana sent an attachment."},
        {"sender_name": "Ana", "timestamp_ms": 1, "content": "Verpasster Videochat"},
    ]
    assert thread(tmp_path, *rows) == [
        ("message", "what a pond", ()),
        ("service", "Replied to your story", ()),
        ("service", "Reagiu com 😂 ao seu story", ()),
        ("message", "https://instagram.com/stories/bo/1", ()),
        ("service", "Verpasster Videochat", ()),
    ]


def test_reactions_have_their_authors(tmp_path: Path) -> None:
    """Instagram writes the day behind the name."""
    reactions = [
        {"reaction": "\u00e2\u009d\u00a4", "actor": "Ana (Mon Jun 01)"},
        {"reaction": "x", "actor": "Zo\u00c3\u00ab"},
    ]
    (tmp_path / "m.json").write_text(
        json.dumps({"messages": [{"sender_name": "Bo", "timestamp_ms": 1, "content": "hi", "reactions": reactions}]})
    )
    ((message,), _) = read(tmp_path / "m.json")
    assert message.reactions == (("❤", "Ana"), ("x", "Zoë"))


def test_half_a_character_is_lost_alone(tmp_path: Path) -> None:
    """Half an emoji, or a text that was cut; a last letter that is no mojibake stays."""
    texts = [
        "caf\u00c3\u00a9 \u00ed\u00a0\u00bd",
        "caf\u00c3\u00a9 \u00f0\u009f\u0098",
        "caf\u00e9",
        "\u00dcber caf\u00e9",
    ]
    said = thread(tmp_path, *({"sender_name": "Bo", "timestamp_ms": 1, "content": text} for text in texts))
    assert [text for _, text, _ in said] == ["café ", "café ", "café", "Über café"]


def test_what_lies_beside_the_threads_is_no_leftover(tmp_path: Path) -> None:
    """Lists that Instagram puts there in its older exports."""
    row = {"sender_name": "Bo", "timestamp_ms": 1, "content": "hey"}
    folder = tmp_path / "messages"
    (folder / "inbox" / "bo_1").mkdir(parents=True)
    (folder / "inbox" / "bo_1" / "message_1.json").write_text(json.dumps({"messages": [row]}))
    for name in ("secret_groups.json", "reported_conversations.json", "your_chat_information.json", "chats.html"):
        (folder / name).write_text('{"ig": []}' if name.endswith("json") else "<html><body></body></html>")
    left: list[Leftover] = []
    list(find(tmp_path, leave=left.append))
    assert left == []
