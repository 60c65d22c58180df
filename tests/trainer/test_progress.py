"""How progress is shown: on wide and narrow terminals, and how near the time left is to the truth."""

import io
import json
import time

import pytest
from rich.console import Console

from trainer.progress import Bars, remaining


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_a_line_fits_the_terminal(width: int) -> None:
    """Share and time left stay readable; what is long is cut, and nothing wraps."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    with Bars(console) as bars, bars.task("names, personal data, repetitions", 100) as advance:
        advance(40, "held-out bits/char 0.405 after a step whose note is long")
        assert bars._rich is not None
        shown = bars._rich.get_renderable()
    plain = Console(file=io.StringIO(), width=width, color_system=None)
    with plain.capture() as capture:
        plain.print(shown)
    lines = capture.get().rstrip("\n").split("\n")
    assert len(lines) == 1
    assert len(lines[0]) <= width
    assert "40%" in lines[0]
    assert "eta" in lines[0]
    assert ("━" in lines[0]) == (width >= 60)


def test_the_time_left_is_within_a_factor_of_two_after_a_twentieth() -> None:
    """Though every tenth step waits for an evaluation that takes as long as five; at the very end one such is all that is
    left, and may be off."""
    steps = [6.0 if number % 10 == 0 else 1.0 for number in range(1, 201)]
    for done in range(len(steps) // 20, len(steps) - 20):
        left = remaining(sum(steps[:done]), done, len(steps))
        assert left is not None
        assert 0.5 <= left / sum(steps[done:]) <= 2


def test_nothing_done_says_nothing_about_the_time_left() -> None:
    """Rather than that it takes for ever."""
    assert remaining(3.0, 0, 10) is None
    assert remaining(3.0, 10, 10) == 0


@pytest.mark.parametrize("for_programs", [False, True])
def test_the_time_left_is_told_once_enough_is_done(
    for_programs: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first weights of a large file took ten seconds, most of them for what comes before: no eta of two months."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Bars(Console(stderr=True), for_programs=for_programs) as bars, bars.task("reading", 1e9) as advance:
        for steps in (2e3, 5e8):
            now += 10
            advance(steps)
    lines = capsys.readouterr().err.splitlines()
    if for_programs:
        assert [json.loads(line).get("left") for line in lines] == [None, None, 20, None]
    else:
        assert lines == ["reading: 0%", "reading: 50%, eta 20 s"]
