"""WeFlow's JSON and text: the fixtures have what its formatters write for each kind of message."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.sources.reading import FIXTURES, read, written
from trainer.sources.files.leftovers import Leftover
from trainer.sources.registry import find

HERE = FIXTURES / "weflow"


def test_kinds_of_messages_in_json() -> None:
    """Media by tag or path, quotations linked, cards and forwards without the app's words."""
    messages, rejects = read(HERE / "阿宝.json")
    assert [(one.kind, one.text, one.attachments) for one in messages] == [
        ("message", "早安", ()),
        ("message", "早啊", ()),
        ("message", "", ("photo",)),
        ("message", "", ("photo",)),
        ("message", "面包烤好了", ("voice",)),
        ("message", "", ("sticker",)),
        ("message", "", ("link",)),
        ("service", "[转账] (小鸥 转账给 阿宝) ¥5.00", ()),
        ("service", "你撤回了一条消息", ()),
        ("call", "[语音通话] 01:05", ()),
        ("message", "", ("forward",)),
        ("message", "", ("location",)),
    ]
    assert (messages[1].reply_to_id, messages[1].quoted_text, messages[1].reply_to_name) == ("9001", "早安", "小鸥")
    assert [(one.sender_id, one.sender_name, one.is_self) for one in messages[:2]] == [
        ("wxid_ines", "小鸥", True),
        ("wxid_bao", "阿宝", False),
    ]
    assert {(one.conversation_id, one.conversation_name, one.conversation_type) for one in messages} == {
        ("wxid_bao", "阿宝", "dm")
    }
    assert messages[0].timestamp == 1700000060.0
    assert rejects == []


def test_numbered_senders_and_groups() -> None:
    """As the compact JSON has them."""
    messages, rejects = read(HERE / "烤面包群.json")
    assert [(one.sender_id, one.sender_name, one.text) for one in messages] == [
        ("wxid_ines", "小鸥", "今天谁烤面包？"),
        ("wxid_bao", "阿宝", "我来"),
    ]
    assert {(one.conversation_name, one.conversation_type) for one in messages} == {("烤面包群", "group")}
    assert len({one.message_id for one in messages}) == 2
    assert rejects == []


def test_kinds_of_messages_in_text() -> None:
    """Whole paragraphs, tags, paths, notices."""
    messages, rejects = read(HERE / "小鹭.txt")
    assert [(one.sender_name, one.kind, one.text, one.attachments) for one in messages] == [
        ("Me", "message", "早安", ()),
        ("小鹭", "message", "早啊", ()),
        ("小鹭", "message", "", ("photo",)),
        ("Me", "message", "", ("video",)),
        ("小鹭", "message", "第一行\n\n第三行 it's 'quoted'", ()),
        ("Me", "message", "", ("file",)),
        ("小鹭", "message", "", ("contact",)),
        ("小鹭", "message", "", ("link",)),
        ("Me", "service", "[转账](我 转账给 小鹭)¥5.00", ()),
        ("小鹭", "service", '"小鹭" 拍了拍我', ()),
        ("小鹭", "unsupported", "[其他消息]", ()),
        ("Me", "message", "", ("voice",)),
        ("小鹭", "call", "[语音通话] 已取消", ()),
        ("小鹭", "message", "", ("forward",)),
    ]
    assert (messages[1].reply_to_name, messages[1].quoted_text) == ("小鸥", "早安")
    assert [one.is_self for one in messages[:2]] == [True, False]
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("小鹭", "dm")}
    assert rejects == []


@pytest.mark.parametrize(("people", "expected"), [("甲乙丙", "group"), ("甲乙", "group"), ("甲群", "dm")])
def test_a_text_is_a_group_by_who_speaks(tmp_path: Path, people: str, expected: str) -> None:
    """Everybody bears a name there; two of whom the chat is not called after are a group of two."""
    text = "".join(f"2024-10-04 11:42:0{number} '{person}'\n好\n\n" for number, person in enumerate(people))
    (tmp_path / "群.txt").write_text(text, encoding="utf-8")
    messages, _ = read(tmp_path / "群.txt")
    assert {one.conversation_type for one in messages} == {expected}


def test_diaries_are_left_alone(tmp_path: Path) -> None:
    """A time without a name in quotation marks is no header of WeFlow's."""
    (tmp_path / "a.txt").write_text("2024-10-04 11:42:05 woke up\nit's raining\n")
    with pytest.raises(AssertionError):
        read(tmp_path / "a.txt")


def chat(session: dict[str, Any], *rows: dict[str, Any], **more: Any) -> str:
    """A chat of WeFlow's JSON."""
    messages = [{"createTime": 1700000060, "type": "文本消息", "content": "早", "isSend": 0, **row} for row in rows]
    return json.dumps({"weflow": {"version": "1.0.3"}, "session": session, **more, "messages": messages})


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ({"wxid": "wxid_bao", "displayName": "阿宝", "type": "私聊"}, ("wxid_bao", "dm")),
        ({"wxid": "77@chatroom", "displayName": "群"}, ("77@chatroom", "group")),
        ({"wxid": "old_group", "displayName": "群", "type": "群聊"}, ("old_group", "group")),
        ({"accountId": "wxid_bao", "displayName": "阿宝"}, ("wxid_bao", "dm")),
        ({"displayName": "阿宝"}, ("a.json", "dm")),
    ],
)
def test_what_a_chat_is(tmp_path: Path, session: dict[str, Any], expected: tuple[str, str]) -> None:
    """By its type or its id; without either it goes by its file, and is private."""
    (message,), _ = read(written(tmp_path, {"a.json": chat(session, {})}))
    assert (message.conversation_id, message.conversation_type) == expected


def test_ids_of_messages_and_of_numbered_senders(tmp_path: Path) -> None:
    """A message's own id, else one made of what it says; a sender's wxid, else the account's id."""
    senders = [{"senderID": 1, "wxid": "wxid_bao"}, {"senderID": 2, "accountId": "acc"}]
    rows: list[dict[str, Any]] = [
        {"senderID": 1, "platformMessageId": "9001"},
        {"senderID": 2, "replyToMessageId": "9001"},
        {"senderID": 1},
        {"senderID": 1},
    ]
    session = {"wxid": "77@chatroom", "type": "群聊"}
    messages, rejects = read(written(tmp_path, {"a.json": chat(session, *rows, senders=senders)}))
    assert [(one.sender_id, one.reply_to_id) for one in messages[:2]] == [("wxid_bao", ""), ("acc", "9001")]
    assert messages[0].message_id == "9001"
    assert len({one.message_id for one in messages}) == 4
    assert rejects == []


def test_a_private_text_may_have_any_name(tmp_path: Path) -> None:
    """You are 我 there, which no group has."""
    text = "2024-10-04 11:42:01 '我'\n早\n\n2024-10-04 11:42:02 '阿宝'\n早啊\n\n"
    messages, _ = read(written(tmp_path, {"同事.txt": text}))
    assert {one.conversation_type for one in messages} == {"dm"}


def test_its_markdown_is_named_with_what_to_do(tmp_path: Path) -> None:
    """It has neither ids nor replies."""
    written(tmp_path, {"阿宝.md": "# 阿宝\n\n- 会话ID: `wxid_bao`\n- 会话类型: 私聊\n\n---\n\n早安\n"})
    left: list[Leftover] = []
    assert list(find(tmp_path, leave=left.append)) == []
    assert ["WeFlow's Markdown" in one.reason for one in left] == [True]
