"""Discord's own data package."""

from tests.trainer.sources.reading import FIXTURES, read
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
