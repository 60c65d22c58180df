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


def times(path: Path) -> list[str]:
    messages, rejects = read(path)
    assert rejects == []
    return [
        f"{datetime.fromtimestamp(one.timestamp, UTC):%Y-%m-%d %H:%M} {one.text}" if one.timestamp else f"? {one.text}"
        for one in messages
        if one.kind == "message"
    ]


def test_a_log_without_a_year_has_that_of_its_name(tmp_path: Path) -> None:
    """Or none: a wrong year is worse than none, and the order of the file stands."""
    text = "Dec 31 23:05:06 <ann> hi\nDec 31 24:53:06 <bob> hello\nJan 02 10:05:06 <ann> again\n"
    (tmp_path / "#marsh.2023.log").write_text(text)
    (tmp_path / "#fen.log").write_text(text)
    assert times(tmp_path / "#marsh.2023.log") == [
        "2023-12-31 23:05 hi",
        "2024-01-01 00:53 hello",
        "2024-01-02 10:05 again",
    ]
    assert times(tmp_path / "#fen.log") == ["? hi", "? hello", "? again"]


def test_lines_before_the_first_change_of_day_are_of_the_day_before(tmp_path: Path) -> None:
    """And a clock that goes on behind 24 is of the next day."""
    path = tmp_path / "#fen.log"
    path.write_text("22:05:01 <ann> hi\n24:53 <bob> late\n--- Day changed Fri Mar 05 2021\n09:00 <cat> morning\n")
    assert times(path) == ["2021-03-04 22:05 hi", "2021-03-05 00:53 late", "2021-03-05 09:00 morning"]


def test_what_the_server_says_behind_equal_signs_is_no_message(tmp_path: Path) -> None:
    """With a time or without."""
    path = tmp_path / "#fen.log"
    path.write_text("[10:05] === ann [~a@x] has joined #fen\n=== bob is now known as bobby\n[10:06] <ann> hi\n")
    assert times(path) == ["? hi"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "04.03.2024 10:05:06 <ann> hi\n25.03.2024 10:06 <bob> hello\n",
            ["2024-03-04 10:05 hi", "2024-03-25 10:06 hello"],
        ),
        (
            "[03/04/2024 10:05:06 PM] <ann> hi\n[03/25/2024 10:06:06 AM] <bob> hello\n",
            ["2024-03-04 22:05 hi", "2024-03-25 10:06 hello"],
        ),
        ("Mon 04.03.24 10:05 <ann> hi\nTue 05.03.24 10:06 <bob> yo\n", ["2024-03-04 10:05 hi", "2024-03-05 10:06 yo"]),
        ("31.02.2024 10:05 <ann> hi\n01.03.2024 10:06 <bob> yo\n", ["? hi", "2024-03-01 10:06 yo"]),
        ("[Thursday 04 March 2021] [10:05:06] <ann>\thi\n", ["2021-03-04 10:05 hi"]),  # Konversation of KDE 4
        ("[Thursday, March 4, 2021] [10:05:06 PM CET] <ann>\thi\n", ["2021-03-04 22:05 hi"]),
        ("[Donnerstag, 4. März 2021] [10:05:06 CET] *\tann waves\n<x> no\n[4. Mai 2021] [9:00] <ann>\thi\n", None),
        ("Thu Mar 04 10:05:06 2021 <ann> hi\n", ["2021-03-04 10:05 hi"]),
        ("Mar 4, 2021 10:05 <ann> hi\n", ["2021-03-04 10:05 hi"]),
        ("16:59:05< ann> hi\n", ["? hi"]),  # an irssi theme
        (
            "--- Log opened Mon Dec 30 00:00:44 2019\nMon Dec 30 10:05 <ann> hi\nThu Jan 02 10:05 <bob> yo\n",
            ["2019-12-30 10:05 hi", "2020-01-02 10:05 yo"],
        ),
        (
            "**** BEGIN LOGGING AT Sat Nov 30 10:00:00 2019\n\nNov 30 10:05:06 <ann> hi\nFeb 03 10:05:06 <bob> yo\n"
            "Feb 30 10:05:06 <ann> no such day\n",
            ["2019-11-30 10:05 hi", "2020-02-03 10:05 yo", "? no such day"],
        ),
        ("IRC log started Thu Mar  4 10:00:00 2021\n[10:05] <ann> hi\n", ["2021-03-04 10:05 hi"]),  # BitchX
        (
            "*** Logfile started\n*** on Thu Mar 4 10:00:00 2021\n\n[10:05:06] <ann>\thi\n"
            "[10:06:06] *** Topic is the meeting of Mar 09 2022\n[10:07:06] <ann>\tyo\n",
            ["2021-03-04 10:05 hi", "2021-03-04 10:07 yo"],
        ),
    ],
)
def test_dates_before_the_time(tmp_path: Path, lines: str, expected: list[str] | None) -> None:
    """Numbers, weekdays, months in words; what is no day is undated, and never of another year."""
    (tmp_path / "#fen.log").write_text(lines, encoding="utf-8")
    if expected is not None:
        assert times(tmp_path / "#fen.log") == expected
        return
    messages, rejects = read(tmp_path / "#fen.log")
    assert said(messages) == [("03-04 10:05:06", "ann", "*waves*"), ("05-04 09:00:00", "ann", "hi")]
    assert [one.raw for one in rejects] == ["<x> no"]


def in_folder(path: Path) -> dict[str, list[str]]:
    """What is said in each log of a folder, with its times."""
    said: dict[str, list[str]] = {}
    for export in find(path):
        for one in export.read(lambda _: None):
            assert isinstance(one, Message)
            when = f"{datetime.fromtimestamp(one.timestamp, UTC):%Y-%m-%d}" if one.timestamp else "?"
            said.setdefault(one.conversation_id, []).append(f"{when} {one.text}")
    return said


@pytest.mark.parametrize(
    ("neighbours", "line", "expected"),
    [
        (["#bog.2023.log"], "Mar 04 10:05 <ann> hi\n", "2023-03-04 hi"),
        (["#bog.2023.log", "#moor.2024.log"], "Mar 04 10:05 <ann> hi\n", "? hi"),
        (["#bog.2023.log", "#moor.2024.log"], "Mon Mar 04 10:05 <ann> hi\n", "2024-03-04 hi"),
        (["#bog.2023.log"], "Mon Mar 04 10:05 <ann> hi\n", "? hi"),  # it was a Saturday
        ([], "Mar 04 10:05 <ann> hi\n", "? hi"),
    ],
)
def test_a_log_without_a_year_has_its_neighbours(
    tmp_path: Path, neighbours: list[str], line: str, expected: str
) -> None:
    """If they have one alone, or the weekday is right in one alone; else it stays undated, in its order."""
    for name in neighbours:
        (tmp_path / name).write_text("May 05 10:05 <bob> other\n")
    (tmp_path / "notes.2019.txt").write_text("no log at all\n")
    (tmp_path / "#fen.log").write_text(line)
    assert in_folder(tmp_path)["#fen"] == [expected]
