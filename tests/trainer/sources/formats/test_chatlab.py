"""Chats in ChatLab's exchange format, as one object and as lines."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read, written


def test_a_group_of_wechat_with_everything_in_it() -> None:
    """Media without the tool's placeholder, replies by id, what the app says left to its kind, the owner is self."""
    messages, rejects = read(FIXTURES / "chatlab" / "烤面包群.json")
    assert [(one.sender_name, one.kind, one.text, one.attachments) for one in messages] == [
        ("小鸥", "message", "早安", ()),
        ("面包师宝", "message", "早！", ()),
        ("面包师宝", "message", "", ("photo",)),
        ("面包师宝", "service", "“阿宝”撤回了一条消息", ()),
        ("小鸥", "message", "我马上就到你家了", ("voice",)),
        ("老蔡", "message", "", ("sticker",)),
        ("老蔡", "message", "", ("link",)),
        ("老蔡", "service", '你邀请"老蔡"加入了群聊', ()),
        ("小鸥", "message", "明天见", ()),
        ("面包师宝", "call", "[语音通话] 03:12", ()),
        ("面包师宝", "deleted", "", ()),
    ]
    first, second = messages[:2]
    assert (first.platform, first.conversation_type, first.conversation_id) == ("wechat", "group", "77@chatroom")
    assert (first.is_self, second.is_self, second.sender_id, second.reply_to_id) == (True, False, "wxid_bo", "71")
    assert second.timestamp == 1714557660.0
    assert rejects == []


def test_a_private_chat_in_lines() -> None:
    """Captions and transcriptions are words, paths are not."""
    messages, rejects = read(FIXTURES / "chatlab" / "bo.jsonl")
    assert [(one.is_self, one.kind, one.text, one.attachments) for one in messages] == [
        (True, "message", "did you sleep", ()),
        (False, "message", "no", ()),
        (False, "message", "the cat", ("photo",)),
        (True, "message", "call me", ("voice",)),
        (True, "unsupported", "Loved by Me", ()),
        (False, "message", "", ("video",)),
    ]
    assert {(one.platform, one.conversation_type) for one in messages} == {("imessage", "dm")}
    assert rejects == []


def test_what_the_chat_is_may_stand_behind_its_messages(tmp_path: Path) -> None:
    """Members with pictures fill the beginning of a file, and a tool may sort its keys; no platform is ours."""
    row = {"sender": "7", "accountName": "Bo", "timestamp": 1714557600, "type": 0, "content": "hi"}
    chat = {
        "chatlab": {"version": "0.0.2"},
        "messages": [row],
        "meta": {"type": "private", "name": "Bo", "platform": "text"},
    }
    (message,), _ = read(written(tmp_path, {"chat.json": json.dumps(chat)}))
    assert (message.conversation_type, message.conversation_name, message.platform) == ("dm", "Bo", "chatlab")


def lines(*rows: Mapping[str, object]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def private(platform: str, other: str, *rows: Mapping[str, object]) -> str:
    """A private chat of `me` with somebody called Bo, in lines, with what its header says."""
    header = {"_type": "header", "chatlab": {"version": "0.0.2"}}
    meta = {"name": "Bo", "platform": platform, "type": "private", "ownerId": "me"}
    people: list[dict[str, object]] = [{"_type": "member", "platformId": person} for person in ("me", other)]
    messages = ({"_type": "message", "timestamp": 1714557600, **row} for row in rows)
    return lines({**header, "meta": meta}, *people, *messages)


def test_comments_are_left_out(tmp_path: Path) -> None:
    """Also before the header; ChatLab itself calls WeChat weixin."""
    row: dict[str, object] = {"sender": "me", "type": 0, "content": "[图片]"}
    text = private("weixin", "u2", row, row | {"content": "早"}).replace("\n", "\n# a note\n")
    messages, rejects = read(written(tmp_path, {"a.jsonl": f"# made by a converter\n{text}"}))
    assert [(one.platform, one.text, one.attachments) for one in messages] == [
        ("wechat", "", ("photo",)),
        ("wechat", "早", ()),
    ]
    assert rejects == []


def test_two_people_of_one_name_are_two_chats(tmp_path: Path) -> None:
    """A private chat goes by whom it is with, in lines and in an object."""
    row = {"sender": "me", "type": 0, "content": "hi"}
    for number in ("u2", "u3"):
        written(tmp_path, {f"{number}.jsonl": private("qq", number, row)})
    people = [{"platformId": "me"}, {"platformId": "u2"}]
    meta = {"name": "Bo", "platform": "qq", "type": "private", "ownerId": "me"}
    chat = {"chatlab": {}, "meta": meta, "members": people, "messages": [row | {"timestamp": 1714557600}]}
    written(tmp_path, {"u4.json": json.dumps(chat)})
    messages, _ = read(tmp_path)
    assert [one.conversation_id for one in messages] == ["u2", "u3", "u2"]
    assert messages[0].message_id == messages[2].message_id


def test_messages_without_ids_have_the_same_in_every_export(tmp_path: Path) -> None:
    """Whatever stands before them; equal ones are two."""
    rows = [{"sender": "u2", "type": 0, "content": text} for text in ("one", "two", "two")]
    older, _ = read(written(tmp_path / "a", {"a.jsonl": private("qq", "u2", *rows)}))
    newer, _ = read(written(tmp_path / "b", {"a.jsonl": private("qq", "u2", *rows[1:])}))
    assert [one.message_id for one in newer] == [one.message_id for one in older[1:]]
    assert len({one.message_id for one in older}) == 3


@pytest.mark.parametrize(
    ("number", "content", "expected"),
    [
        (0, "[图片]", ("message", "[图片]", ())),
        (1, None, ("message", "", ("photo",))),
        (2, "voices/a.mp3", ("message", "", ("voice",))),
        (2, "on my way", ("message", "on my way", ("voice",))),
        (3, "[Video] a.mp4", ("message", "", ("video",))),
        (4, "[File] list.pdf", ("message", "", ("file",))),
        (5, "[Sticker]", ("message", "", ("sticker",))),
        (7, "[Link] a card", ("message", "", ("link",))),
        (8, "[Location] a cafe", ("message", "", ("location",))),
        (20, "best wishes", ("service", "best wishes", ())),
        (21, "5.00", ("service", "5.00", ())),
        (22, "me poked Bo", ("service", "me poked Bo", ())),
        (23, "03:12", ("call", "03:12", ())),
        (24, "a mini program", ("message", "", ("app",))),
        (25, "yes", ("message", "yes", ())),
        (26, "A: hi", ("message", "", ("forward",))),
        (27, "Cy", ("message", "", ("contact",))),
        (80, "Bo joined", ("service", "Bo joined", ())),
        (81, "Bo took it back", ("deleted", "Bo took it back", ())),
        (99, "?", ("unsupported", "?", ())),
    ],
)
def test_types_of_messages(
    tmp_path: Path, number: int, content: str | None, expected: tuple[str, str, tuple[str, ...]]
) -> None:
    """As ChatLab numbers them; what stands for a medium is the tool's, and in WeChat alone are texts placeholders."""
    (message,), _ = read(
        written(tmp_path, {"a.jsonl": private("qq", "u2", {"sender": "u2", "type": number, "content": content})})
    )
    assert (message.kind, message.text, message.attachments) == expected
