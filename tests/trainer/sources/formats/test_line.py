"""LINE's history, of phones and of the desktop."""

from datetime import UTC, datetime

import pytest

from tests.trainer.sources.reading import FIXTURES, read

HERE = FIXTURES / "line"


def test_a_phones_export() -> None:
    """Halves of the day, quoted lines, stickers, calls, what the app says."""
    messages, rejects = read(HERE / "[LINE] phone.txt")
    assert [(one.sender_name, one.text, one.attachments) for one in messages if one.kind == "message"] == [
        ("ミナト", "おはよう", ()),
        ("なぎさ", '二行\n"だよ', ()),
        ("ミナト", "", ("sticker",)),
        ("なぎさ", "", ("photo",)),
        ("なぎさ", "10:05 に集合", ()),
    ]
    assert [one.kind for one in messages if one.kind != "message"] == ["service", "call"]
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("ミナト", "dm")}
    assert rejects == []


def test_the_desktops_export_has_blanks_in_names() -> None:
    """A name is as long as everything that begins with it goes on alike."""
    messages, rejects = read(HERE / "desktop.txt")
    assert [(one.sender_name, one.text, one.attachments) for one in messages] == [
        ("Mia Sol", "morning", ()),
        ("Ren", "", ("photo",)),
        ("Mia Sol", "who took\nthe oars", ()),
        ("Mia Sol", "nobody says", ()),
        ("Ren", "not me", ()),
        ("Ren", "", ("sticker",)),
        ("Okoye", "fine", ()),
    ]
    assert {one.conversation_type for one in messages} == {"group"}
    assert rejects == []


@pytest.mark.parametrize(
    ("file", "first", "last"),
    [
        ("[LINE] phone.txt", "2021-03-04 09:05", "2021-03-05 00:02"),
        ("desktop.txt", "2021-03-04 09:05", "2021-03-05 00:02"),
        ("english-phone.txt", "2020-03-20 22:05", "2020-03-21 00:05"),
        ("taiwan.txt", "2022-05-06 07:08", "2022-05-06 23:08"),
        ("desktop-untitled.txt", "2025-12-30 23:43", "2025-12-31 00:10"),
        ("thai.txt", "2024-01-15 10:30", "2024-01-16 09:00"),
        ("english-day-first.txt", "2026-04-26 16:35", "2026-04-26 16:36"),
    ],
)
def test_days_stand_on_lines_of_their_own(file: str, first: str, last: str) -> None:
    """In the shapes of apps and languages."""
    messages, rejects = read(HERE / file)
    stamps = [datetime.fromtimestamp(one.timestamp or 0, UTC).strftime("%Y-%m-%d %H:%M") for one in messages]
    assert (stamps[0], stamps[-1]) == (first, last)
    assert rejects == []


@pytest.mark.parametrize(
    ("file", "name", "kind"),
    [
        ("[LINE] phone.txt", "ミナト", "dm"),
        ("desktop.txt", "Harbour Lights", "group"),
        ("english-phone.txt", "Harbour", "group"),
        ("english-day-first.txt", "Alex", "dm"),
        ("thai.txt", "ท่าเรือ", "group"),
        ("desktop-untitled.txt", "", "dm"),
    ],
)
def test_the_first_line_names_the_chat(file: str, name: str, kind: str) -> None:
    """And says whether it is with somebody or in a group."""
    messages, _ = read(HERE / file)
    assert {(one.conversation_name, one.conversation_type) for one in messages} == {(name, kind)}
