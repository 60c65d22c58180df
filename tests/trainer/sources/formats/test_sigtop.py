"""Signal as sigtop writes it: the fixtures have what its source writes for each kind of message."""

from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.files.leftovers import Leftover
from trainer.sources.registry import find

HERE = FIXTURES / "sigtop"


def test_a_private_chat() -> None:
    """Words, media, calls, the last version of an edited text, what is quoted and who reacted."""
    messages, rejects = read(HERE / "Bo Lind (+15550001111).txt")
    assert [(one.sender_id, one.sender_name, one.kind, one.text, one.attachments) for one in messages] == [
        ("+15550001111", "Bo Lind", "message", "did you sleep", ()),
        ("", "Me", "message", "no\nthe cat disagreed: loudly", ()),
        ("", "Me", "message", "", ("photo",)),
        ("+15550001111", "Bo Lind", "call", "", ()),
        ("+15550001111", "Bo Lind", "message", "see you at nine", ()),
    ]
    assert messages[0].reactions == (("👍", "+15550002222"),)
    assert (messages[1].reply_to_id, messages[1].quoted_text) == (messages[0].message_id, "")
    assert [one.is_self for one in messages[:2]] == [False, True]
    assert (messages[0].timestamp, messages[4].edited_at) == (1709301845.0, 1709309225.0)
    assert {(one.conversation_id, one.conversation_name, one.conversation_type) for one in messages} == {
        ("+15550001111", "Bo Lind", "dm")
    }
    assert rejects == []


def test_a_group() -> None:
    """Brackets in names, fields in words, and a quotation whose message is not there."""
    messages, rejects = read(HERE / "Bread table (group).txt")
    assert [(one.sender_id, one.sender_name, one.kind, one.text, one.attachments) for one in messages] == [
        ("", "", "service", "", ()),
        ("cy.77", "Cy (work)", "message", "From: the oven, with love\n\n@Bo it has risen", ()),
        ("+15550001111", "Bo Lind", "message", "", ("file", "video")),
    ]
    assert (messages[1].reply_to_id, messages[1].reply_to_name, messages[1].quoted_text) == ("", "Ana Roe", "my loaf")
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("Bread table", "group")}
    assert rejects == []


def test_its_other_layouts_are_named_with_what_to_do(tmp_path: Path) -> None:
    """The JSON without texts, and the short text."""
    (tmp_path / "a.json").write_text('[\n{"recipients":["c1"],"sendStateByConversationId":{"c1":{}},"preview":[]}\n]\n')
    (tmp_path / "b.json").write_text('[\n{"sent_at":1709301845000,"serverGuid":"g","type":"incoming","body":"hi"}\n]\n')
    (tmp_path / "c.txt").write_text("2024-03-01 15:04 Bo Lind: did you sleep\n2024-03-01 15:05 You: [1 attachment]\n")
    left: list[Leftover] = []
    assert list(find(tmp_path, leave=left.append)) == []
    assert ["sigtop" in one.reason and "export without" in one.reason for one in left] == [True, True, True]


def test_ones_own_words_are_quoted_under_ones_name(tmp_path: Path) -> None:
    """Which stands nowhere else."""
    day = "Fri, 1 Mar 2024 15:0{}:00 +0100"
    mine = f"From: You\nType: outgoing\nSent: {day.format(1)}\n\nrye it is\n\n"
    quote = f"\n> From: Ana Roe (+15550002222)\n> Sent: {day.format(1)}\n>\n> rye it is\n"
    answer = f"From: Bo (bo.1)\nType: incoming\nSent: {day.format(2)}\nReceived: {day.format(2)}\n{quote}\ngood\n\n"
    (tmp_path / "Bo (bo.1).txt").write_text(f"Conversation: Bo (bo.1)\n\n{mine}{answer}")
    messages, _ = read(tmp_path)
    assert [(one.text, one.reply_to_id) for one in messages] == [("rye it is", ""), ("good", messages[0].message_id)]
