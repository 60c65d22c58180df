"""Discord's own data package."""

import json
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read, written
from trainer.sources.files.leftovers import Leftover
from trainer.sources.message import Message
from trainer.sources.registry import find


def test_a_package_is_one_persons_words() -> None:
    """CSV of old and JSON of today, channels and private ones, names from beside them."""
    messages, rejects = read(FIXTURES / "discord_package")
    assert [(one.message_id, one.text, one.attachments) for one in messages] == [
        ("800000000000000001", "hey @someone, two\nlines", ()),
        ("800000000000000002", "", ("photo", "video")),
        ("800000000000000011", ":duck: you", ()),
        ("800000000000000012", "ok", ()),
    ]
    assert {(one.sender_id, one.sender_name, one.sender_handle, one.is_self) for one in messages} == {
        ("500000000000000001", "Ila", "ila", True)
    }
    assert [(one.conversation_id, one.conversation_name, one.conversation_type) for one in messages[1:3]] == [
        ("700000000000000001", "heron in Pond", "group"),
        ("700000000000000002", "Direct Message with odd_jo#0", "dm"),
    ]
    assert messages[0].timestamp == 1598396045.726
    assert [one.reason for one in rejects] == ["2 fields where the header names 4"]


def test_a_channel_alone_is_read_too() -> None:
    """Without the account's name it is by `Me`."""
    messages, _ = read(FIXTURES / "discord_package/messages/c700000000000000002")
    assert [(one.sender_name, one.is_self, one.conversation_type) for one in messages] == [("Me", True, "dm")] * 2


def test_it_is_called_experimental() -> None:
    """No real one was seen."""
    assert [export.source.experimental for export in find(FIXTURES / "discord_package")] == [True]


def test_folders_may_have_names_of_any_language(tmp_path: Path) -> None:
    """And a channel no messages: what holds none is no leftover."""
    package = {
        "Nachrichten/index.json": {"11": "general in Pond"},
        "Nachrichten/c11/channel.json": {"id": "11", "type": "GUILD_TEXT"},
        "Nachrichten/c11/messages.json": [
            {"ID": 1, "Timestamp": "2024-03-04 05:06:07", "Contents": "hallo", "Attachments": ""}
        ],
        "Nachrichten/c12/channel.json": {"id": "12", "type": "DM"},
        "Konto/user.json": {"id": "1", "username": "ila"},
        "Aktivität/reporting/events-2024-00000-of-00001.json": {"event_type": "app_opened"},
        "Werbung/traits.json": [{"trait": 1}],
    }
    written(tmp_path, {f"Paket/{name}": json.dumps(content) for name, content in package.items()})
    left: list[Leftover] = []
    messages = [item for export in find(tmp_path, leave=left.append) for item in export.read(lambda _: None)]
    assert [item.text for item in messages if isinstance(item, Message)] == ["hallo"]
    assert left == []
