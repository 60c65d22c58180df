"""Google Chat out of a Takeout."""

import json
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.registry import find


def test_a_takeout_has_private_messages_and_spaces() -> None:
    """Dates in English with odd blanks, files, quotations, what was deleted, bots."""
    messages, rejects = read(FIXTURES / "google_chat")
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("Wren", "tea?", (), "message"),
        ("Lark", "", ("photo",), "message"),
        ("Lark", "", (), "unsupported"),
        ("Beeper", "beep", (), "message"),
    ]
    assert [one.timestamp for one in messages[:2]] == [1614877567.0, 1614816367.0]
    assert (messages[1].reply_to_id, messages[1].quoted_text) == ("abc1/t1/t1", "tea?")
    assert {(one.conversation_id, one.conversation_name, one.conversation_type) for one in messages} == {
        ("DM abc1", "Wren + Lark", "dm"),
        ("Space def2", "The kettle", "group"),
    }
    assert (messages[3].is_bot, messages[3].timestamp) == (True, None)
    assert rejects == []
    assert all(export.source.experimental for export in find(FIXTURES / "google_chat"))


def test_reactions_name_addresses(tmp_path: Path) -> None:
    """As Takeout lists them; an emoji of the workspace's own has no character."""
    reactions = '[{"emoji": {"unicode": "🥨"}, "reactor_emails": ["bo@x.org"]}, {"emoji": {"custom_emoji": {}}}]'
    row = (
        f'{{"creator": {{"name": "Ana"}}, "created_date": "", "topic_id": "t", "text": "hi", "reactions": {reactions}}}'
    )
    (tmp_path / "messages.json").write_text(f'{{"messages": [{row}]}}', encoding="utf-8")
    (message,), _ = read(tmp_path / "messages.json")
    assert message.reactions == (("🥨", "bo@x.org"),)


@pytest.mark.parametrize(
    "written",
    [
        "Saturday, November 1, 2025 at 10:01:00\u202fAM UTC",
        "samedi 1 novembre 2025 à 10:01:00 UTC",
        "Samstag, 1. November 2025 um 10:01:00 UTC",
        "sábado, 1 de noviembre de 2025, 10:01:00 UTC",
        "sábado, 1 de novembro de 2025 às 10:01:00 UTC",
        "1 Kasım 2025 Cumartesi 10:01:00 UTC",
        "суббота, 1 ноября 2025 г. в 10:01:00 UTC",
        "2025年11月1日土曜日 10:01:00 UTC",
        "2025년 11월 1일 토요일 오전 10:01:00 UTC",
    ],
)
def test_dates_in_the_language_of_the_account(tmp_path: Path, written: str) -> None:
    """And what is none has no date."""
    people = {"name": "Wren", "email": "w@example.org", "user_type": "Human"}
    rows = [
        {"creator": people, "created_date": date, "text": "tea", "message_id": f"a/t/{number}"}
        for number, date in enumerate((written, written.replace("2025", "20255"), "31 Foo 2025 à 10:01:00"))
    ]
    folder = tmp_path / "Groups" / "Space a"
    folder.mkdir(parents=True)
    (folder / "messages.json").write_text(json.dumps({"messages": rows}), encoding="utf-8")
    messages, _ = read(tmp_path)
    assert [one.timestamp for one in messages] == [1761991260.0, None, None]
