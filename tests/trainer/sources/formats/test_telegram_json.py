"""Telegram Desktop's result.json, of every age."""

import json
from pathlib import Path
from typing import Any

from tests.trainer.sources.reading import read


def row(number: int, text: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "message",
        "date": "2021-03-04T05:06:07",
        "date_unixtime": "1614834367",
        "from": "Ana",
        "from_id": "user5",
        "text": text,
        **more,
    }


def export(tmp_path: Path, content: Any, indent: int | None = 1) -> Path:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent), encoding="utf-8")
    return path


def chat(rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"name": "table", "type": "private_group", "id": 77, **more, "messages": rows}


def test_text_is_a_string_or_a_mixed_list(tmp_path: Path) -> None:
    """Old files have no text_entities; where they are, they count."""
    rows = [
        row(1, "plain"),
        row(2, ["see ", {"type": "link", "text": "https://example.com"}, " now"]),
        row(3, "old", text_entities=[{"type": "plain", "text": "new "}, {"type": "mention", "text": "@bob"}]),
    ]
    messages, rejects = read(export(tmp_path, chat(rows)))
    assert [one.text for one in messages] == ["plain", "see https://example.com now", "new @bob"]
    assert (messages[0].conversation_id, messages[0].conversation_type, messages[0].timestamp) == (
        "77",
        "group",
        1614834367.0,
    )
    assert rejects == []


def test_a_whole_account_keeps_its_chats_apart(tmp_path: Path) -> None:
    """With private ones marked, and a chat without a name not called like the one before."""
    chats = [chat([row(1, "a")]), {"type": "personal_chat", "id": 8, "messages": [row(1, "b")]}]
    account = {
        "personal_information": {"user_id": 5},
        "chats": {"list": chats},
        "left_chats": {"list": [chat([row(1, "c")], id=9)]},
    }
    for indent in (1, None):
        messages, _ = read(export(tmp_path, account, indent))
        found = [(one.conversation_id, one.conversation_type, one.conversation_name, one.text) for one in messages]
        assert found == [("77", "group", "table", "a"), ("8", "dm", "", "b"), ("9", "group", "table", "c")]


def test_what_is_no_message_is_told_apart(tmp_path: Path) -> None:
    """Service rows, unsupported ones that are only an id, forwards, via-bots, deleted accounts."""
    rows = [
        {"id": 1, "type": "service", "date": "2021-03-04T05:06:07", "action": "create_group", "text": ""},
        {"id": 2, "type": "unsupported"},
        row(3, "x", forwarded_from="Bob"),
        row(4, "x", via_bot="@gif"),
        row(5, "x", **{"from": None}),
        row(6, "", media_type="sticker", sticker_emoji="😀", file="x.webp"),
        row(7, "look", photo="(File not included)"),
    ]
    messages, rejects = read(export(tmp_path, chat(rows)))
    assert [one.kind for one in messages][:2] == ["service", "unsupported"]
    assert messages[2].forwarded_from == "Bob"
    assert messages[3].is_bot
    assert (messages[4].sender_id, messages[4].sender_name) == ("user5", "")
    assert messages[5].attachments == ("sticker 😀",)
    assert messages[6].attachments == ("photo",)
    assert rejects == []


def test_calls_edits_and_forwards_from_deleted_accounts(tmp_path: Path) -> None:
    """A null in forwarded_from is a forward; a mention by name has an id."""
    mention = [{"type": "mention_name", "text": "Bob", "user_id": 7}, {"type": "plain", "text": " hi"}]
    rows = [
        {"id": 1, "type": "service", "date": "2021-03-04T05:06:07", "action": "phone_call", "actor": "Ana", "text": ""},
        row(2, "x", forwarded_from=None),
        row(3, "x", edited="2021-03-04T05:07:07", edited_unixtime="1614834427"),
        row(4, ["Bob", " hi"], text_entities=mention),
    ]
    messages, rejects = read(export(tmp_path, chat(rows)))
    assert [one.kind for one in messages] == ["call", "message", "message", "message"]
    assert [one.forwarded_from for one in messages] == ["", "somebody", "", ""]
    assert messages[2].edited_at == 1614834427.0
    assert (messages[3].text, messages[3].mentions) == ("Bob hi", (("user7", "Bob"),))
    assert rejects == []


def test_replies_into_another_chat_are_no_replies_here(tmp_path: Path) -> None:
    """reply_to_peer_id means another chat."""
    rows = [row(1, "a", reply_to_message_id=9), row(2, "b", reply_to_message_id=9, reply_to_peer_id="chat4")]
    messages, _ = read(export(tmp_path, chat(rows)))
    assert [one.reply_to_id for one in messages] == ["9", ""]


def test_what_the_exporter_breaks_is_mended(tmp_path: Path) -> None:
    """\\xHH escapes, a bare document_id, half a surrogate pair, NUL, bytes that are no UTF-8."""
    path = export(
        tmp_path, chat([row(1, "AAA"), row(2, "BBB"), row(3, "CCC", document_id="7"), row(4, "DDD"), row(5, "EEE")])
    )
    raw = (
        path.read_bytes()
        .replace(b"AAA", b"caf\\xe9 \\\\xe9")
        .replace(b"BBB", b"\\ud83d!")
        .replace(b'"document_id": "7"', b'"document_id": 12_34x')
    )
    path.write_bytes(raw.replace(b"DDD", b"n\\u0000l").replace(b"EEE", b"\xff\xfe?"))
    messages, rejects = read(path)
    assert [one.text for one in messages] == ["café \\xe9", "\ufffd!", "CCC", "n\x00l", "\ufffd\ufffd?"]
    assert rejects == []


def test_a_cut_file_gives_all_up_to_the_cut_and_says_so(tmp_path: Path) -> None:
    """At any byte."""
    path = export(tmp_path, chat([row(number, f"text {number}") for number in range(20)]))
    raw = path.read_bytes()
    for cut in range(raw.index(b"text 1"), len(raw) - 6, 97):
        path.write_bytes(raw[:cut])
        messages, rejects = read(path)
        assert [one.text for one in messages] == [f"text {number}" for number in range(len(messages))]
        assert len(rejects) == 1
        assert rejects[0].reason.startswith("the file is cut off")


def without_text(number: int, **more: Any) -> dict[str, Any]:
    return row(number, "", text_entities=[], **more)


def test_topics_of_a_forum_are_channels_of_their_own(tmp_path: Path) -> None:
    """By the row that opened them, and through messages that answer messages."""
    rows = [
        {"id": 1, "type": "service", "action": "topic_created", "title": "Food", "text": ""},
        {"id": 2, "type": "service", "action": "topic_created", "title": "Bikes", "text": ""},
        row(10, "who brings bread", reply_to_message_id=1),
        row(11, "my chain fell off", reply_to_message_id=2),
        row(12, "which gear", reply_to_message_id=11),
        row(13, "I do", reply_to_message_id=10),
        row(14, "morning all"),
    ]
    messages, _ = read(export(tmp_path, chat(rows, type="public_supergroup")))
    assert [(one.conversation_id, one.conversation_name, one.reply_to_id) for one in messages[2:]] == [
        ("77/1", "table / Food", ""),
        ("77/2", "table / Bikes", ""),
        ("77/2", "table / Bikes", "11"),
        ("77/1", "table / Food", "10"),
        ("77", "table", ""),
    ]


def test_rich_messages_are_text(tmp_path: Path) -> None:
    """Headings, lists, formatting inside formatting; quotations apart, pictures as attachments."""
    blocks = [
        {"type": "heading", "level": 2, "text": ["Shopping"]},
        {"type": "list", "items": [{"checked": True, "text": ["flour"]}, {"task_state": "unchecked", "text": "yeast"}]},
        {"type": "list", "items": [{"content": "blocks", "blocks": [{"type": "paragraph", "text": "salt"}]}]},
        {"type": "paragraph", "text": ["I take ", {"type": "bold", "text": {"type": "plain", "text": "both"}}]},
        {"type": "quote", "content": "text", "text": "rye or spelt?", "caption": {"type": "plain", "text": "Bo"}},
        {"type": "table", "title": {"type": "empty"}, "rows": [{"cells": [{"text": "a"}, {"text": ["b", "c"]}]}]},
        {"type": "photo", "caption": {"text": "my loaf", "credit": {"type": "empty"}}},
        {"type": "math", "formula": "x^2"},
        {"type": "divider"},
    ]
    messages, rejects = read(export(tmp_path, chat([row(1, "", rich_message={"blocks": blocks})])))
    assert messages[0].text.split("\n") == [
        "Shopping",
        "[x] flour",
        "[ ] yeast",
        "salt",
        "I take both",
        "a bc",
        "my loaf",
        "x^2",
    ]
    assert messages[0].quoted_text == "rye or spelt?"
    assert messages[0].attachments == ("photo",)
    assert rejects == []


def test_what_stands_as_text_and_as_blocks_is_said_once(tmp_path: Path) -> None:
    """In an item or a quote; `content` tells which of both counts."""
    blocks = [{"type": "paragraph", "text": "as blocks"}]
    items = [{"text": "as text", "blocks": blocks}] + [
        {"content": content, "text": "as text", "blocks": blocks} for content in ("text", "blocks")
    ]
    rich = {"blocks": [{"type": "list", "items": items}, {"type": "quote", "text": "as text", "blocks": blocks}]}
    messages, _ = read(export(tmp_path, chat([row(1, "", rich_message=rich)])))
    assert messages[0].text.split("\n") == ["as blocks", "as text", "as blocks"]
    assert messages[0].quoted_text == "as blocks"


def test_a_row_with_no_text_and_an_unknown_key_is_told_by_that_key(tmp_path: Path) -> None:
    """What Telegram adds next year doesn't vanish as an empty message; what is merely empty does."""
    rows = [without_text(1, hologram={"depth": 3}), row(2, "hi", hologram={"depth": 3}), without_text(3)]
    for indent in (1, None):
        messages, rejects = read(export(tmp_path, chat(rows), indent))
        assert len(messages) == 3
        assert [reject.reason for reject in rejects] == ["a message without text, but with 'hologram': not read"]


def test_polls_places_and_other_things_are_attachments(tmp_path: Path) -> None:
    """A poll's question and a checklist's title are words of whoever wrote them."""
    rows = [
        without_text(1, poll={"question": "Rye or spelt?", "closed": False, "answers": []}),
        without_text(2, todo_list={"title": "Bake", "answers": []}),
        without_text(3, location_information={"latitude": 1.0, "longitude": 2.0}),
        without_text(4, contact_information={"first_name": "Zed", "phone_number": "1"}),
        without_text(5, game_title="2048"),
        without_text(6, paid_stars_amount=50),
    ]
    messages, rejects = read(export(tmp_path, chat(rows)))
    assert [(one.text, one.attachments) for one in messages] == [
        ("Rye or spelt?", ("poll",)),
        ("Bake", ("checklist",)),
        ("", ("location",)),
        ("", ("contact",)),
        ("", ("game",)),
        ("", ("paid media",)),
    ]
    assert rejects == []


def test_a_block_quote_is_a_quotation(tmp_path: Path) -> None:
    """Somebody else's words are not the persona's; a message that is nothing else is only a quotation."""
    rows = [
        row(1, "", text_entities=[{"type": "blockquote", "text": "see this"}, {"type": "plain", "text": "\nwhich?"}]),
        row(2, "", text_entities=[{"type": "blockquote", "text": "see this"}]),
    ]
    messages, _ = read(export(tmp_path, chat(rows)))
    assert [(one.text, one.quoted_text) for one in messages] == [("which?", "see this"), ("see this", "see this")]


def test_reactions_name_who_reacted(tmp_path: Path) -> None:
    """As far as the export lists them; a deleted account is known by its id."""
    reactions = [
        {
            "type": "emoji",
            "count": 2,
            "emoji": "❤",
            "recent": [{"from": "Bo", "from_id": "user12"}, {"from": None, "from_id": "user13"}],
        },
        {"type": "custom_emoji", "count": 1, "document_id": "5", "recent": [{"from": "Bo", "from_id": "user12"}]},
        {"type": "emoji", "count": 3, "emoji": "👍"},
    ]
    messages, _ = read(export(tmp_path, chat([row(1, "bread", reactions=reactions), row(2, "tea")])))
    assert [one.reactions for one in messages] == [(("❤", "user12", "Bo"), ("❤", "user13", "")), ()]


def test_a_private_chat_stays_private_if_its_type_stands_behind_its_messages(tmp_path: Path) -> None:
    """As in a file whose keys a tool has put in order."""
    path = tmp_path / "result.json"
    for indent in (1, None):
        content = chat([row(1, "just us")], type="personal_chat", name="Bo")
        path.write_text(json.dumps(content, sort_keys=True, indent=indent))
        messages, _ = read(path)
        assert [(one.conversation_type, one.conversation_name) for one in messages] == [("dm", "Bo")]
