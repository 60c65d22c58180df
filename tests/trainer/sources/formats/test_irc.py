"""IRC logs of many clients."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.message import Message
from trainer.sources.registry import find

HERE = FIXTURES / "irc"


def said(messages: list[Message]) -> list[tuple[str, str, str]]:
    return [
        (datetime.fromtimestamp(one.timestamp or 0, UTC).strftime("%m-%d %H:%M:%S"), one.sender_name, one.text)
        for one in messages
        if one.kind == "message"
    ]


@pytest.mark.parametrize(
    ("file", "channel", "expected"),
    [
        (
            "#marsh.log",
            "#marsh",
            [
                ("03-04 23:58:00", "grebe", "evening"),
                ("03-04 23:59:00", "coot", "café"),
                ("03-04 23:59:00", "coot", "*hides*"),
                ("03-05 00:01:00", "coot", "<grebe> evening"),
            ],
        ),
        (
            "irc.example.#fen.weechatlog",
            "#fen",
            [
                ("03-04 10:05:07", "grebe", "hello\tthere"),
                ("03-04 10:05:08", "coot", "*waves*"),
                ("03-04 10:05:10", "coot", "red bold"),
            ],
        ),
        (
            "hexchat.log",
            "#bog",
            [
                ("12-31 23:59:05", "grebe", "happy new year"),
                ("01-01 00:00:05", "coot", "and to you"),
                ("01-01 00:00:06", "grebe", "*cheers*"),
                ("01-01 00:00:07", "rail", "here too"),
            ],
        ),
        (
            "lounge-query.log",
            "lounge-query",
            [
                ("03-04 10:05:06", "grebe", "psst"),
                ("03-04 10:05:07", "coot", "what"),
                ("03-04 09:05:08", "coot", "*listens*"),
            ],
        ),
        ("mirc.txt", "#mere", [("03-04 10:05:00", "grebe", "moo"), ("03-04 22:07:00", "coot", "late")]),
    ],
)
def test_the_clients_logs(file: str, channel: str, expected: list[tuple[str, str, str]]) -> None:
    """Times, days, actions, colours, and what the server says."""
    messages, rejects = read(HERE / file)
    assert said(messages) == expected
    assert {one.conversation_id for one in messages} == {channel}
    assert {one.conversation_type for one in messages} == {"group" if channel.startswith("#") else "dm"}
    assert rejects == []


def test_dates_and_signs_of_other_programs() -> None:
    """A proxy's signs before the text, months by name, seconds since 1970."""
    messages, rejects = read(HERE / "dircproxy.2009.log")
    assert [(one.sender_name, one.text) for one in messages if one.kind == "message"] == [
        ("grebe", "anyone here?"),
        ("coot", "no"),
        ("coot", "*hides*"),
    ]
    assert rejects == []
    messages, rejects = read(HERE / "named-dates.log")
    assert said(messages) == [("01-14 10:36:00", "grebe", "dated"), ("01-14 10:37:00", "coot", "counted")]
    assert rejects == []


def test_a_folder_of_days() -> None:
    """The channel is the folder's name, the day the file's; past midnight it is the next one."""
    messages, rejects = read(HERE / "znc")
    assert said(messages) == [("03-04 23:59:58", "grebe", "one"), ("03-05 00:00:01", "coot", "two")]
    assert [(one.reason, one.raw) for one in rejects] == [("no line of an IRC log", "broken line")]


@pytest.mark.parametrize(
    "text", ["10:05 lunch\n11:00 talk <bob>\n", "<p> 10:05 </p>\n", "2021-03-04 10:05:06 INFO x\n"]
)
def test_other_texts_are_left_alone(tmp_path: Path, text: str) -> None:
    """Agendas, pages, logs of programs."""
    (tmp_path / "a.log").write_text(text)
    assert list(find(tmp_path / "a.log")) == []
