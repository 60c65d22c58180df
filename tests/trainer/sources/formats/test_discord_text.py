"""DiscordChatExporter's CSV and TXT."""

from datetime import UTC, datetime

from tests.trainer.sources.reading import FIXTURES, read

HERE = FIXTURES / "discord_text"


def test_a_csv_is_known_by_its_name() -> None:
    """Quotes, line breaks, attachments, what the server says; a short row is told."""
    messages, rejects = read(HERE / "Pond - talk - heron [600000000000000001].csv")
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("ila#0001", 'look, "here"\nand there :duck:', ("photo", "voice"), "message"),
        ("odd_jo", "Pinned a message.", (), "service"),
        ("odd_jo", "", ("file",), "message"),
    ]
    first = messages[0]
    assert (first.conversation_id, first.conversation_name, first.conversation_type) == (
        "600000000000000001",
        "heron",
        "group",
    )
    assert (first.sender_id, first.timestamp) == ("500000000000000001", 1651813689.123)
    assert [(one.reason, one.raw) for one in rejects] == [
        ("3 fields where the header names 6", '"500000000000000002","odd_jo","broken"\n')
    ]


def test_older_files_have_the_machines_own_dates() -> None:
    """Which number is the day is decided by the whole file."""
    messages, rejects = read(HERE / "old-locale.csv")
    stamps = [datetime.fromtimestamp(one.timestamp or 0, UTC).strftime("%Y-%m-%d %H:%M") for one in messages]
    assert stamps == ["2019-12-24 23:23", "2022-05-14 07:08", "2022-05-06 00:08"]
    assert rejects == []


def test_a_txt_has_sections() -> None:
    """Attachments, stickers, reactions, pages; brackets that are no header; the count at the end."""
    messages, rejects = read(HERE / "heron.txt")
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("ila#0001", "first line\n\n[not a date] at all", ("photo",), "message"),
        ("odd_jo", "Joined the server.", (), "service"),
        ("odd_jo", "", ("sticker",), "message"),
    ]
    assert {(one.conversation_id, one.conversation_name) for one in messages} == {
        ("Pond - talk / heron", "talk / heron")
    }
    assert rejects == []
