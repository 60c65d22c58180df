"""DiscordChatExporter's CSV and TXT."""

from datetime import UTC, datetime
from pathlib import Path

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


RULE = "=" * 62


def test_a_forward_in_a_txt_is_somebody_elses_words(tmp_path: Path) -> None:
    """They stand in a section, with the date they were sent."""
    lines = [RULE, "Guild: Direct Messages", "Channel: Group / ducks", RULE, "", "[5/6/2022 7:08 AM] ila", ""]
    lines += [
        "{Forwarded Message}",
        "words of another",
        "Originally sent: 5/5/2022 1:00 PM",
        "",
        "[5/6/2022 7:09 AM] ila",
        "mine",
    ]
    path = tmp_path / "x.txt"
    path.write_text("\n".join(lines))
    messages, rejects = read(path)
    assert [(one.text, one.forwarded_from) for one in messages] == [("words of another", "somebody"), ("mine", "")]
    assert {(one.conversation_type, one.is_group_dm) for one in messages} == {("group", True)}
    assert rejects == []


def test_a_csv_knows_those_who_have_spoken(tmp_path: Path) -> None:
    """Ids of markdown that was switched off."""
    path = tmp_path / "Direct Messages - Private - bo [600000000000000009].csv"
    rows = ["AuthorID,Author,Date,Content,Attachments,Reactions", "1,ana,2022-05-06T07:08:09Z,hi <@2>,,"]
    path.write_text("\n".join([*rows, "2,bo,2022-05-06T07:08:10Z,hey <@1> <:kek:123456789012345678>,,"]))
    messages, _ = read(path)
    assert [(one.text, one.mentions) for one in messages] == [
        ("hi @someone", (("2", ""),)),
        ("hey @ana :kek:", (("1", "ana"),)),
    ]
    assert {one.conversation_type for one in messages} == {"dm"}
