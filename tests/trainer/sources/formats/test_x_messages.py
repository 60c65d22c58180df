"""Private messages of X archives: newest first, among events, by numbers."""

from tests.trainer.sources.reading import FIXTURES, read


def test_private_messages_are_told_from_events() -> None:
    """Who made the archive is named; the others are numbers, as in its tweets' mentions."""
    messages, rejects = read(FIXTURES / "x_2023", only="X messages")
    said = [one for one in messages if one.kind == "message"]
    assert [(one.conversation_type, one.sender_id, one.sender_name, one.text) for one in said] == [
        ("dm", "41", "Ines Quill", "look"),
        ("dm", "52", "", "not yet & you?"),
        ("dm", "41", "Ines Quill", "did the ferry come"),
        ("group", "53", "", "gulls: 3, us: 0"),
        ("group", "41", "Ines Quill", "who brought chips"),
    ]
    assert said[0].attachments == ("photo",)
    assert [one.is_self for one in said] == [True, False, True, False, True]
    assert said[2].timestamp == 1614834381.789
    assert len(messages) - len(said) == 4
    assert rejects == []


def test_messages_of_2020_are_read_too() -> None:
    """From the root, in the layout of those years."""
    messages, _ = read(FIXTURES / "x_2020", only="X messages")
    assert [(one.conversation_id, one.text) for one in messages] == [("41-52", "old talk"), ("41-52", "hello")]
