"""Chats in ChatLab's exchange format, as one object and as lines."""

import json
from pathlib import Path

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
