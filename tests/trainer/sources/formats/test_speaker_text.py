"""SPEAKER: text: other people's, read leniently, and our own, read strictly."""

from pathlib import Path

import pytest

from persona.transcript import Conversation, Turn, render
from tests.trainer.sources.reading import read
from trainer.sources.registry import find


def test_headers_of_any_case_and_paragraphs_without_one(tmp_path: Path) -> None:
    """A paragraph without a name goes on with the last speaker's; words of nobody are told."""
    path = tmp_path / "play.txt"
    path.write_text(
        "A prologue.\n\nFirst Citizen:\nBefore we proceed,\nhear me.\n\nAnd more.\n\nALL:\n\nALL:\nSpeak: now\n\nALL:\nNo.\n"
    )
    messages, rejects = read(path)
    assert [(one.sender_name, one.text) for one in messages] == [
        ("First Citizen", "Before we proceed,\nhear me.\n\nAnd more."),
        ("ALL", ""),
        ("ALL", "Speak: now"),
        ("ALL", "No."),
    ]
    assert [(one.reason, one.raw) for one in rejects] == [("text before the first message", "A prologue.")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_encoding_and_line_end(tmp_path: Path, encoding: str) -> None:
    """Windows writes BOMs, UTF-16 and \\r\\n."""
    path = tmp_path / "talk.txt"
    path.write_bytes("小雨:\r\n你好\r\n\r\nBob:\r\nhéllo\r\n".encode(encoding))
    messages, _ = read(path)
    assert [(one.sender_name, one.text) for one in messages] == [("小雨", "你好"), ("Bob", "héllo")]


def test_our_own_transcript_keeps_scenes_years_and_turns(tmp_path: Path) -> None:
    """A conversation that is broken is put aside, the others are read."""
    talks = [
        Conversation("timeline", (Turn("ANA", ("one tweet", "of two lines")), Turn("ANA", ("and its thread",))), 2019),
        Conversation("reply", (Turn("SOMEONE", ("[…]",)), Turn("ANA", ("sure",))), 2020),
        Conversation("dm", (Turn("BOB", ("ANA:",)), Turn("ANA", ("no",)))),
    ]
    path = tmp_path / "transcript.txt"
    path.write_text("\n".join(map(render, talks)) + "\n# group\n\nthis is broken\n", encoding="utf-8")
    messages, rejects = read(path)
    assert [(one.conversation_type, one.sender_name, one.text) for one in messages] == [
        ("feed", "ANA", "one tweet\nof two lines"),
        ("feed", "ANA", "and its thread"),
        ("feed", "ANA", "sure"),
        ("dm", "BOB", "ANA:"),
        ("dm", "ANA", "no"),
    ]
    assert messages[1].reply_to_id == messages[0].message_id
    assert len(rejects) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\n\nthis is a letter.\n",
        "",
        "\n\n",
        "import os\n\nprint(1)\n",
        "a: b\nc: d\n",
        "class A:\n    x = 1\n",
        "a:\n  - b\n",
    ],
)
def test_other_texts_are_left_alone(tmp_path: Path, text: str) -> None:
    """A format is found by content, and prose has none."""
    path = tmp_path / "some.txt"
    path.write_text(text + " ")
    assert list(find(path)) == []


def test_two_files_of_one_name_are_two_conversations_and_a_file_that_grew_is_one(tmp_path: Path) -> None:
    """People keep exports in folders, and export again."""
    said = "".join(f"Bob:\nline {number}\n\nAna:\nand {number} to you\n\n" for number in range(60))
    found = []
    for folder, text in (("a", said), ("b", "Cleo:\nhi\n\nBob:\nhey\n"), ("c", said + "Bob:\nlater\n")):
        path = tmp_path / folder / "chat.txt"
        path.parent.mkdir()
        path.write_text(text)
        found.append(read(path)[0])
    (first, other, grown) = ({(one.conversation_id, one.message_id) for one in messages} for messages in found)
    assert not {channel for channel, _ in first} & {channel for channel, _ in other}
    assert first < grown
    assert len(grown - first) == 1
