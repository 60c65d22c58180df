"""WeChat's CSV of several tools."""

from pathlib import Path

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


def test_as_users_save_it(tmp_path: Path) -> None:
    """From a spreadsheet: times without zeros, numbers as floats; a quotation of a message that is in the file."""
    rows = [
        "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime",
        "1,9.00E+18,文本,0,wxid_bo,wxid_bo,明天来吗,,2024/10/4 11:42",
        '2,9.00E+18,引用回复,1,我,wxid_bo,"来\n\n[引用](2024/10/4 11:42)张三:明天来吗",,2024/10/4 11:43:05',
    ]
    (tmp_path / "wxid_bo_0_19.csv").write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    (first, second), rejects = read(tmp_path)
    assert (first.timestamp, second.timestamp) == (1728042120.0, 1728042185.0)
    assert first.message_id != second.message_id
    assert (second.text, second.reply_to_id, second.quoted_text) == ("来", first.message_id, "")
    assert rejects == []


def test_a_file_without_rooms_is_one_chat(tmp_path: Path) -> None:
    """WeFlow's: both sides of it, and a group if several people speak."""
    head = "id,MsgSvrID,type_name,is_sender,talker,msg,src,CreateTime"
    rows = [head, "1,1,text,0,苇,在吗,,2024-10-04T11:42:00+08:00", "2,2,text,1,小舟,在,,2024-10-04T11:43:00+08:00"]
    (tmp_path / "苇.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    messages, _ = read(tmp_path)
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("苇", "dm")}
    (tmp_path / "苇.csv").write_text(
        "\n".join([*rows, "3,3,text,0,鸥,我也在,,2024-10-04T11:44:00+08:00"]) + "\n", encoding="utf-8"
    )
    messages, _ = read(tmp_path)
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("苇", "group")}
