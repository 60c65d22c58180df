"""WhatsApp's database in the JSON of KnugiHK's exporter: the fixture has what its source writes for each kind of row."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.message import Message

HERE = FIXTURES / "whatsapp_exporter" / "result.json"


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    found, rejects = read(HERE)
    assert rejects == []
    return found


def in_chat(messages: list[Message], name: str) -> list[Message]:
    return [one for one in messages if one.conversation_name == name]


def test_texts_media_and_what_the_exporter_says(messages: list[Message]) -> None:
    """Line breaks, captions, transcribed voice messages; places, deletions and calls are nobody's words."""
    assert [(one.kind, one.text, one.attachments) for one in in_chat(messages, "Bread table")] == [
        ("service", "The group name changed to Bread table", ()),
        ("message", "who bakes today\nrye or spelt?", ()),
        ("message", "I do", ()),
        ("message", "my loaf", ("photo",)),
        ("message", "it has risen", ("voice",)),
        ("message", "", ("sticker",)),
        ("message", "", ("location",)),
        ("deleted", "Message deleted", ()),
        ("message", "", ("contact",)),
        ("message", "where to?", ("poll",)),
        ("call", "A video call was missed", ()),
        ("unsupported", "", ()),
    ]
    assert [one.kind for one in in_chat(messages, "WhatsApp Calls")] == ["call"]


def test_people_chats_replies_and_reactions(messages: list[Message]) -> None:
    """A name that one chat of the file bears is that person's; the account's owner is Me."""
    group = in_chat(messages, "Bread table")
    assert [(one.sender_id, one.sender_name, one.is_self) for one in group[1:4]] == [
        ("", "Me", True),
        ("15550001111@s.whatsapp.net", "Bo Lind", False),
        ("15550002222@s.whatsapp.net", "15550002222", False),
    ]
    assert (group[2].reply_to_id, group[2].quoted_text) == (group[1].message_id, "who bakes today\nrye or spelt?")
    assert group[2].reactions == (("👍", "Me"), ("🍞", "15550002222@s.whatsapp.net"))
    assert group[1].timestamp == 1700000060.0
    assert {one.conversation_type for one in group} == {"group"}
    private = in_chat(messages, "Bo Lind")
    assert [(one.sender_id, one.conversation_type) for one in private] == [
        ("15550001111@s.whatsapp.net", "dm"),
        ("", "dm"),
    ]
    assert [one.conversation_type for one in messages if one.text == "my status"] == ["dm"]


def written(path: Path, chats: dict[str, Any], indent: int | None = None) -> Path:
    path.write_text(json.dumps(chats, indent=indent, ensure_ascii=indent is None), encoding="utf-8")
    return path


def test_two_contacts_of_one_name_stay_two(tmp_path: Path) -> None:
    """In a group their name tells nobody's id."""
    chats = json.loads(HERE.read_text())
    chats["15550003333@s.whatsapp.net"]["name"] = "Bo Lind"
    messages, _ = read(written(tmp_path / "a.json", chats))
    assert {one.sender_id for one in in_chat(messages, "Bread table") if one.sender_name == "Bo Lind"} == {""}


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_any_layout_is_read_also_with_fields_behind_and_of_old_versions(tmp_path: Path, indent: int | None) -> None:
    """The first versions wrote no type, media or numbers, and iOS has its own numbers."""
    rows = {
        "1": {"from_me": False, "timestamp": 1700000000, "time": "1:00", "media": False, "key_id": "A", "meta": False,
              "data": "one<br>two", "sender": None, "reply": None, "quoted_data": None, "caption": None},
        "2": {"from_me": True, "timestamp": 1700000060, "key_id": "B", "data": "x", "quoted_data": None, "message_type": 3},
    }  # fmt: skip
    chats = {"155@s.whatsapp.net": {"messages": rows, "name": "Bo", "type": "ios"}}
    messages, rejects = read(written(tmp_path / "a.json", chats, indent))
    assert [(one.sender_id, one.text, one.attachments) for one in messages] == [
        ("155@s.whatsapp.net", "one\ntwo", ()),
        ("", "x", ("voice",)),
    ]
    assert rejects == []


def test_a_damaged_row_is_one_reject(tmp_path: Path) -> None:
    """And a file that was cut gives all up to the cut."""
    text = HERE.read_text().replace('"timestamp": 1700000060.0', '"timestamp": [1]')
    (tmp_path / "a.json").write_text(text)
    messages, rejects = read(tmp_path / "a.json")
    whole, _ = read(HERE)
    assert (len(messages), len(rejects)) == (len(whole) - 1, 1)
    (tmp_path / "b.json").write_text(text[: text.index("rye or spelt") + 4])
    messages, rejects = read(tmp_path / "b.json")
    assert [reject.reason for reject in rejects] == ["the file is cut off here"]
    assert messages


def exported(*rows: dict[str, Any], name: str = "Bo") -> dict[str, Any]:
    """What the exporter makes of WhatsApp's own text: a row a line."""
    empty = {"from_me": False, "timestamp": 1700000000.0, "sender": None, "quoted_data": None, "meta": False}
    messages = {str(number): empty | {"key_id": number} | row for number, row in enumerate(rows)}
    return {"ExportedChat": {"name": name, "type": "exported", "messages": messages}}


def test_a_chat_made_of_whatsapps_text(tmp_path: Path) -> None:
    """Its placeholders are in the phone's language, and the chat has neither an id nor people's."""
    chat = exported(
        {"data": "Nachrichten sind verschlüsselt.", "meta": True},
        {"data": " schläfst du<br>schon?", "from_me": True},
        {"data": " <Medien ausgeschlossen>"},
        {"data": "The media is omitted in the chat", "mime": "media", "meta": True},
        {"data": " Diese Nachricht wurde gelöscht."},
    )
    messages, rejects = read(written(tmp_path / "a.json", chat))
    assert [(one.sender_id, one.sender_name, one.kind, one.text, one.attachments) for one in messages[1:]] == [
        ("", "Me", "message", "schläfst du\nschon?", ()),
        ("", "Bo", "message", "", ("file",)),
        ("", "Bo", "message", "", ("file",)),
        ("", "Bo", "unsupported", "Diese Nachricht wurde gelöscht.", ()),
    ]
    assert {one.conversation_type for one in messages} == {"dm"}
    assert rejects == []


def test_two_chats_made_of_texts_stay_two(tmp_path: Path) -> None:
    """They have one key and the numbers of their lines."""
    for name in ("Bo", "Cy"):
        written(tmp_path / f"{name}.json", exported({"data": " hi"}, {"data": " hi"}, name=name))
    messages, _ = read(tmp_path)
    assert len({one.conversation_id for one in messages}) == 2
    assert len({one.message_id for one in messages}) == 4


def test_channels_linked_ids_and_quoted_lines(tmp_path: Path) -> None:
    """What followers read is a channel; an id beside a name is the sender's; binary data is nobody's words."""
    row = {"from_me": False, "timestamp": 1700000000, "sender": "Bo", "quoted_data": "one<br>two", "reply": "K0"}
    binary = "The message is binary data and its base64 is AAAA"
    chats = {
        "77@newsletter": {"name": "News", "type": "android", "messages": {"1": row | {"key_id": "K1", "data": "hi"}}},
        "88@g.us": {
            "name": "Bread",
            "type": "android",
            "messages": {
                "1": row | {"key_id": "K2", "data": "hi", "sender_jid": "9@lid"},
                "2": row | {"key_id": "K3", "data": binary, "meta": True},
            },
        },
    }
    messages, rejects = read(written(tmp_path / "a.json", chats))
    assert [(one.conversation_type, one.sender_id, one.kind) for one in messages] == [
        ("channel", "", "message"),
        ("group", "9@lid", "message"),
        ("group", "", "unsupported"),
    ]
    assert (messages[0].quoted_text, messages[0].reply_to_id) == ("one\ntwo", "K0")
    assert rejects == []
