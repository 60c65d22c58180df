"""WeChat's CSV of several tools."""

from tests.trainer.sources.reading import FIXTURES, read

HERE = FIXTURES / "wechat"


def test_columns_are_taken_by_name() -> None:
    """Kinds by their Chinese names, groups by their id, the account's own lines, a message without a number."""
    messages, rejects = read(HERE / "pywxdump.csv")
    assert [(one.message_id, one.text, one.attachments, one.kind) for one in messages[:5]] == [
        ("9001", "在吗\n？", (), "message"),
        ("9002", "在", (), "message"),
        ("9003", "", ("photo",), "message"),
        ("9004", "", ("sticker",), "message"),
        ("9005", '"苇" 撤回了一条消息', (), "service"),
    ]
    assert [(one.sender_name, one.is_self) for one in messages[:2]] == [("wxid_heron", False), ("Me", True)]
    assert [(one.conversation_id, one.conversation_type) for one in messages[2:4]] == [
        ("wxid_heron", "dm"),
        ("123@chatroom", "group"),
    ]
    assert messages[0].timestamp == 1700042400.0
    assert messages[5].timestamp == 1700042409.0
    assert messages[5].message_id not in ("", "0")
    assert [one.reason for one in rejects] == ["5 fields where the header names 9"]


def test_the_other_tools_columns() -> None:
    """WeChatMsg's numbers for kinds; older files with JSON in a column."""
    messages, rejects = read(HERE / "heron.csv")
    assert [(one.sender_name, one.text, one.attachments) for one in messages] == [
        ("苍鹭", "吃了吗", ()),
        ("Me", "没", ()),
        ("苍鹭", "", ("voice",)),
    ]
    assert messages[0].timestamp == 1700042400.0
    assert rejects == []
    (old,), _ = read(HERE / "old-content.csv")
    assert old.text == "旧版"
