"""The frame of the command lines."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from persona.command import CALLER, guided, next_step, typed
from tests.conftest import ROOT

IMPORTS = """
import sys, typer
from persona.command import command_line, run
app = command_line("One command that loads what trains.")
@app.command()
def load() -> None:
    "Load. Example: load"
    import bitsandbytes, peft, transformers
@app.command()
def other() -> None:
    "Another. Example: other"
run(app, "alterego", ["load"])
"""


def test_no_library_speaks_of_itself() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


GREEDY = """
from persona.command import command_line, run
app = command_line("One command that needs much.")
@app.command()
def fill() -> None:
    "Fill. Example: fill"
    bytearray(1 << 60)
@app.command()
def other() -> None:
    "Another. Example: other"
run(app, "alterego", ["fill"])
"""


def test_no_room_is_no_mistake_of_ours() -> None:
    """What to do is said instead."""
    done = subprocess.run([sys.executable, "-c", GREEDY], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("alterego: memory ran out; close other programs, or choose a smaller base")


ECHO = """
import sys
from persona.command import command_line, run
app = command_line("One command that repeats.")
@app.command()
def echo() -> None:
    "Repeat. Example: echo"
    print("小雨", ascii(input()))
    print("caf\\udce9", file=sys.stderr)
@app.command()
def other() -> None:
    "Another. Example: other"
run(app, "alterego", ["echo"])
"""


def test_no_terminal_is_too_old_for_a_name() -> None:
    """Where it knows no such letters, or sends others than it says; what a program reads is whole. Reported of hermes-agent
    (pull request 43439) and KiroCrew (issue 6393)."""
    words, old = [sys.executable, "-c", ECHO], {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=old, input=b"J\xf6rg\n", capture_output=True, timeout=60, check=True)
    assert done.stdout.decode() == "小雨 'J\\xf6rg'\n"
    assert done.stderr == b"caf\\udce9\n"  # a file's name may be anything
    here, there = pty.openpty()
    with open(there, "wb") as terminal:  # noqa: PTH123
        subprocess.run(words, env=old, input=b"hm\n", stdout=terminal, timeout=60, check=True)
    assert os.read(here, 100) == b"?? 'hm'\r\n"
    os.close(here)
    modern = {**old, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(words, env=modern, input=b"J\xf6rg\n", capture_output=True, timeout=60, check=True)
    assert done.stdout.decode() == "小雨 'J\\ufffdrg'\n"


def test_a_stream_that_was_closed_is_an_empty_one() -> None:
    """`<&-` is the end of what is typed, not a mistake; what is printed into nothing is no fault either."""
    words = [sys.executable, "-c", ECHO.replace("ascii(input())", "ascii(sys.stdin.read())")]
    shell = ["sh", "-c", 'exec "$@" <&-', "sh", *words]
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "小雨 ''\n")
    shell[2] = 'exec "$@" <&- >&- 2>&-'
    assert subprocess.run(shell, cwd=ROOT, timeout=60).returncode == 0


LOST = """
import os, signal, time, weakref
from persona.command import command_line, run
app = command_line("One command that waits.")
class Thing: pass
@app.command()
def wait() -> None:
    "Wait. Example: wait"
    thing = Thing()
    kept = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
    del thing
    time.sleep(60)
@app.command()
def other() -> None:
    "Another. Example: other"
run(app, "alterego", ["wait"])
"""


def test_a_ctrl_c_that_python_loses_comes_again() -> None:
    """It came in a callback of the garbage collector's, as importing has some; nobody has to press twice."""
    done = subprocess.run([sys.executable, "-c", LOST], cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


IN_TEXT = """
from persona.command import command_line, run
app = command_line("One command that a Ctrl-C meets in code made of text, as dataclasses are made.")
@app.command()
def wait() -> None:
    "Wait. Example: wait"
    exec("raise KeyboardInterrupt")
@app.command()
def other() -> None:
    "Another. Example: other"
run(app, "alterego", ["wait"])
"""


def test_an_interrupted_command_ends_with_its_code_wherever_the_ctrl_c_came(tmp_path: Path) -> None:
    """Not by a signal, which is no code."""
    (tmp_path / "interrupted.py").write_text(IN_TEXT)
    known = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    words = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(words, env=known, capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stderr) == (130, "alterego: interrupted; nothing was left half-written\n")


def test_modules_that_run_without_the_frame_are_as_quiet() -> None:
    """A benchmark that imports the trainer or an engine, say."""
    for package in ("engine", "trainer"):
        asked = f"import {package}, logging; print(logging.getLogger('bitsandbytes').isEnabledFor(logging.WARNING))"
        done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.stdout == "False\n"


def test_where_make_runs_it_sentences_name_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python` alone is seldom that of .venv; what make has no target for is typed with its path."""
    sentence = "run 'python -m trainer train', or 'python -m trainer train --force', or 'python -m bot chat'"
    assert typed(sentence) == sentence
    monkeypatch.setenv(CALLER, "make")
    assert typed(sentence) == "run 'make train', or '.venv/bin/python -m trainer train --force', or 'make chat'"
    assert next_step("python -m trainer import", Path("persona.toml")) == "next: make train"
    assert next_step("python -m trainer train", Path("persona.toml")) == ""  # it goes on by itself
    assert next_step("python -m bot chat", Path("persona.toml")) == "next: make chat"


def test_the_next_step_names_other_settings_and_is_left_out_where_it_is_taken(tmp_path: Path) -> None:
    """The demo takes it."""
    assert next_step("python -m bot chat", Path("persona.toml")) == "next: python -m bot chat"
    assert (
        next_step("python -m bot chat", tmp_path / "a b.toml")
        == f"next: python -m bot chat --config '{tmp_path}/a b.toml'"
    )
    with guided():
        assert not next_step("python -m bot chat", Path("persona.toml"))
