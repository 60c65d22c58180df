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


def page(*messages: str) -> str:
    """A page as tdesktop's export_output_html.cpp writes it, of these messages."""
    return (
        '<!DOCTYPE html><html><body><div class="page_wrap"><div class="page_header"><div class="content">'
        '<div class="text bold">\nPâtisserie\n</div></div></div><div class="page_body chat_page"><div class="history">'
        + "".join(messages)
        + "</div></div></div></body></html>"
    )


def said(number: int, name: str, inside: str, reply: int = 0) -> str:
    """A message of the page, with what stands under the name."""
    answers = f'<div class="reply_to details">\nIn reply to <a href="#go_to_message{reply}">this message</a>\n</div>'
    return (
        f'<div class="message default clearfix" id="message{number}"><div class="body">'
        f'<div class="pull_right date details" title="04.03.2021 05:06:{number:02} UTC+01:00">\n05:06\n</div>'
        f'<div class="from_name">\n{name}\n</div>{answers if reply else ""}{inside}</div></div>'
    )


def reacted(emoji: str, *names: str) -> str:
    """Pictures of those who reacted, under the emoji."""
    people = "".join(
        f'<div class="userpic userpic1" title="{name}"><div class="initials">\n{name[0]}\n</div></div>'
        for name in names
    )
    return (
        f'<span class="reaction"><span class="emoji">\n{emoji}\n</span><span class="userpics">{people}</span>'
        '<span class="count">\n2\n</span></span>'
    )


def test_reactions_polls_places_and_topics_are_read(tmp_path: Path) -> None:
    """Who reacted is kept; votes, names of contacts and addresses are not."""
    poll = (
        '<div class="media_wrap clearfix"><div class="media_poll"><div class="question bold">\nSeigle ou épeautre ?\n</div>'
        '<div class="details">\nAnonymous poll\n</div><div class="answer">\n- Seigle <span class="details">2 votes</span>\n'
        '</div><div class="answer">\n- Épeautre\n</div><div class="total details\t">\n2 votes\n</div></div></div>'
    )
    venue = (
        '<div class="media_wrap clearfix"><div class="media clearfix pull_left media_venue"><div class="body">'
        '<div class="title bold">\nMoulin\n</div><div class="description">\n1 rue du Port\n</div></div></div></div>'
    )
    contact = venue.replace("media_venue", "media_contact")
    text = '<div class="text">\n{}\n</div>'
    reactions = f'<span class="reactions">{reacted("❤", "Sam", "Io")}{reacted("👍", "Io")}</span>'
    topic = (
        '<div class="message service" id="message5"><div class="body details">\nNora created topic «Pain»\n</div></div>'
    )
    (tmp_path / "messages.html").write_text(
        page(
            said(1, "Nora", text.format("on y va") + reactions),
            said(2, "Sam", poll),
            said(3, "Io", venue),
            said(4, "Io", contact),
            topic,
            said(6, "Sam", text.format("le pain"), 5),
            said(7, "Io", text.format("oui"), 6),
            said(8, "Nora", text.format("ailleurs"), 1),
        ),
        encoding="utf-8",
    )
    messages, rejects = read(tmp_path / "messages.html")
    by_id = {message.message_id: message for message in messages}
    assert by_id["1"].reactions == (("❤", "Sam"), ("❤", "Io"), ("👍", "Io"))
    assert by_id["1"].text == "on y va"
    assert (by_id["2"].text, by_id["2"].attachments) == ("Seigle ou épeautre ?\nSeigle\nÉpeautre", ("poll",))
    assert [(by_id[number].text, by_id[number].attachments) for number in "34"] == [
        ("", ("location",)),
        ("", ("contact",)),
    ]
    assert [(by_id[number].conversation_id, by_id[number].reply_to_id) for number in "678"] == [
        ("Pâtisserie/5", ""),
        ("Pâtisserie/5", "6"),
        ("Pâtisserie", "1"),
    ]
    assert rejects == []
