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
    ],
)
def test_days_stand_on_lines_of_their_own(file: str, first: str, last: str) -> None:
    """In three shapes."""
    messages, rejects = read(HERE / file)
    stamps = [datetime.fromtimestamp(one.timestamp or 0, UTC).strftime("%Y-%m-%d %H:%M") for one in messages]
    assert (stamps[0], stamps[-1]) == (first, last)
    assert rejects == []
