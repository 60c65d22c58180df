"""Telegram's HTML: pages of one chat."""

import shutil
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.registry import find

HERE = FIXTURES / "telegram_html"


def test_pages_are_one_chat_in_order() -> None:
    """Joined messages, replies over pages, forwards, media, zones, reactions that are no text."""
    messages, rejects = read(HERE)
    assert [
        (one.message_id, one.sender_name, one.text, one.attachments) for one in messages if one.kind == "message"
    ] == [
        ("2", "Fern", "two\nlines & a https://example.com/x?a=1&b=2 bold", ()),
        ("3", "Fern", "and more", ()),
        ("4", "Moss", "yes", ()),
        ("5", "Moss", "", ("gif",)),
        ("6", "Moss", "forwarded words", ()),
        ("7", "Fern", "look", ("photo",)),
        ("8", "Fern", "", ("sticker 😀",)),
        ("9", "Moss", "", ("voice",)),
        ("1001", "Fern", "over there", ()),
        ("1002", "Deleted Account", 'gone "now" <b>', ()),
    ]
    by_id = {one.message_id: one for one in messages}
    assert {(one.conversation_name, one.conversation_type) for one in messages} == {("Moss & Fern <3", "group")}
    assert [by_id[number].reply_to_id for number in ("4", "1001", "1002")] == ["2", "", "4"]
    assert by_id["6"].forwarded_from == "Quill"
    assert by_id["5"].is_bot
    assert (by_id["2"].timestamp, by_id["1001"].timestamp) == (1614830767.0, 1614920767.0)
    assert [one.kind for one in messages if one.kind != "message"] == ["service", "call", "unsupported"]
    assert rejects == []
    assert len(list(find(HERE))) == 1


def test_a_cut_page_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    """The last message may be half of one."""
    shutil.copy(HERE / "messages2.html", tmp_path)
    path = tmp_path / "messages2.html"
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b"gone &quot;") + 4])
    messages, rejects = read(path)
    assert [one.text for one in messages] == ["over there"]
    assert [(one.reason, one.raw) for one in rejects] == [("the file is cut off here", "gone")]


def test_two_people_are_a_dm(tmp_path: Path) -> None:
    """Where the chat is called after one of them and nothing happened that happens in groups."""
    page = (HERE / "messages2.html").read_text(encoding="utf-8").replace("Moss &amp; Fern &lt;3", "Fern")
    (tmp_path / "messages.html").write_text(page, encoding="utf-8")
    messages, _ = read(tmp_path / "messages.html")
    assert {one.conversation_type for one in messages} == {"dm"}


def test_other_pages_are_left_alone(tmp_path: Path) -> None:
    """Any page of the web, and the lists of an account's export."""
    (tmp_path / "a.html").write_text("<html><div class='message'>hi</div></html>")
    (tmp_path / "chats.html").write_text('<div class="page_header"><div class="text bold">Chats</div></div>')
    assert list(find(tmp_path)) == []
