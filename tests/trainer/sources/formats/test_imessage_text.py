"""iMessage, as imessage-exporter writes it."""

from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read


def test_a_group_with_everything_in_it() -> None:
    """Announcements, gaps, effects, tapbacks, files, edits, what was taken back; a reply once, with what it answers."""
    messages, rejects = read(FIXTURES / "imessage_text")
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("", "Sage renamed the conversation to Garden Gate", (), "service"),
        ("Sage", "is the gate shut\nand the second line\n\nwith a gap", (), "message"),
        ("Rue", "the hens", ("photo",), "message"),
        ("Me", "it is", (), "message"),
        ("Sage", "the gate", (), "message"),
        ("Rue", "Rue unsent this message part 5 seconds after sending!", (), "unsupported"),
        ("Sage", "SharePlay Message\nEnded", (), "service"),
    ]
    assert messages[3].reply_to_id == messages[1].message_id
    assert (messages[3].is_self, messages[1].is_self) == (True, False)
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("Garden Gate - 7", "group")}
    assert messages[1].timestamp == 1652808582.0
    assert rejects == []


def test_the_parts_of_a_message_around_its_replies(tmp_path: Path) -> None:
    """What follows the replies to one part belongs to the message."""
    text = (
        "May 17, 2022  5:29:42 PM\nSage\nfirst part\n    May 17, 2022  5:31:00 PM\n    Me\n    answer\n\nsecond part\n\n"
        "May 17, 2022  5:31:00 PM\nMe\nanswer\nThis message responded to an earlier message.\n\n"
    )
    (tmp_path / "Sage.txt").write_text(text)
    (first, answer), rejects = read(tmp_path / "Sage.txt")
    assert (first.text, answer.text) == ("first part\nsecond part", "answer")
    assert answer.reply_to_id == first.message_id
    assert first.conversation_type == "dm"
    assert rejects == []
