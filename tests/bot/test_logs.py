"""The daemon's log, as text and as JSON."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.logs import hide, set_up_logging
from persona.events import Event

ROOT = Path(__file__).parents[2]
RESERVED = {"at", "level", "logger", "event", "hint", "traceback"}


@pytest.fixture(params=["json", "text"])
def log_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def written(log_format: Any) -> Iterator[io.StringIO]:
    """What is logged, in that format."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, logging.raiseExceptions)
    set_up_logging(logging.INFO, log_format)
    stream = io.StringIO()
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield stream
    root.handlers[:], root.level, logging.raiseExceptions = before


@pytest.mark.parametrize("log_format", ["json"], indirect=True)
def test_fields_are_written_as_they_were_given(written: io.StringIO) -> None:
    """A value with a blank stays whole, and numbers are numbers: no sentence is taken apart again."""
    logging.getLogger("alterego.sender").warning(
        Event("not sent", reason="rate limited", again_in_seconds=2.5, hint="wait")
    )
    line = json.loads(written.getvalue())
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "alterego.sender",
        "event": "not sent",
        "reason": "rate limited",
        "again_in_seconds": 2.5,
        "hint": "wait",
    }


@pytest.mark.parametrize("log_format", ["json"], indirect=True)
def test_what_a_library_logs_is_an_event_without_fields(written: io.StringIO) -> None:
    """Also where it looks like one with fields; a traceback is a field of its own."""
    try:
        raise ConnectionError("gone")
    except ConnectionError:
        logging.getLogger("library").exception("retry=%d of 3", 1)
    line = json.loads(written.getvalue())
    assert line["event"] == "retry=1 of 3"
    assert "ConnectionError: gone" in line["traceback"]
    assert "retry" not in line


@pytest.mark.parametrize("log_format", ["text"], indirect=True)
def test_the_text_format_is_a_line_that_people_read(written: io.StringIO) -> None:
    """Level, part, event, fields."""
    logging.getLogger("alterego.sender").warning(Event("not sent", reason="rate limited", tries=2))
    assert written.getvalue() == 'WARNING alterego.sender not sent reason="rate limited" tries=2\n'


def test_secrets_are_hidden_in_fields_and_tracebacks(written: io.StringIO) -> None:
    """In both formats, whoever puts them there."""
    hide(["s3cr3t-token"])
    try:
        raise ConnectionError("https://host/bots3cr3t-token/getMe")
    except ConnectionError as error:
        logging.getLogger("alterego.x").exception(Event("failed", reason=error))
    assert "s3cr3t" not in written.getvalue()
    assert "[hidden]" in written.getvalue()


def test_no_event_of_ours_names_a_field_that_every_line_has() -> None:
    """It would write over the line's own."""
    used = {
        (path.name, keyword.arg)
        for package in ("persona", "engine", "trainer", "bot")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event"
        for keyword in node.keywords
        if keyword.arg in RESERVED - {"hint"}
    }
    assert used == set()
