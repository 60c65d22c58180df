"""What all commands have in common: a version, an example that works, completion, and colour only where it is wanted."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from alterego.cli import app as alterego
from bot.__main__ import app as bot
from persona.command import commands_of, run
from persona.version import VERSION
from tests.conftest import ROOT, run_here
from trainer.__main__ import app as trainer

APPS = {"trainer": trainer, "bot": bot, "alterego": alterego}
COMMANDS = [(package, name) for package, app in APPS.items() for name in commands_of(app).commands if name not in APPS]
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")


class Screen(io.StringIO):
    """A terminal's standard output."""

    def isatty(self) -> bool:
        return True


WORDS = {"trainer": "python -m trainer", "bot": "python -m bot", "alterego": "alterego"}


def on_screen(app: typer.Typer, *arguments: str) -> str:
    """What a command writes to a terminal."""
    screen = Screen()
    with contextlib.redirect_stdout(screen), pytest.raises(SystemExit):
        run(app, "python -m trainer", arguments)
    return screen.getvalue()


@pytest.mark.parametrize(("package", "name"), COMMANDS)
def test_every_help_ends_with_an_example_that_can_be_typed(package: str, name: str) -> None:
    """Its options and arguments are read by the very command; nothing is run."""
    program = WORDS[package].split()
    done = run_here(APPS[package], WORDS[package], name, "--help")
    example = " ".join(done.stdout.rpartition("Example: ")[2].split())
    words = shlex.split(example)
    assert words[: len(program) + 1] == [*program, name]
    assert "╰" not in example
    commands_of(APPS[package]).commands[name].make_context(name, words[len(program) + 1 :])


@pytest.mark.parametrize("package", APPS)
def test_the_version_is_said(package: str) -> None:
    """The same by both, and by the project's metadata, which take it from the same place."""
    done = run_here(APPS[package], WORDS[package], "--version")
    assert (done.returncode, done.stdout) == (0, f"alterego {VERSION}\n")
    assert 'attr = "persona.version.VERSION"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """None into a file, none with NO_COLOR (no-color.org)."""
    for variable in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in run_here(trainer, "python -m trainer", "train", "--help").stdout
    assert COLOUR.search(on_screen(trainer, "train", "--help"))
    monkeypatch.setenv("NO_COLOR", "1")
    plain = on_screen(trainer, "train", "--help")
    assert "--plan" in re.sub(r"\x1b\[[\d;]*m", "", plain)
    assert not COLOUR.search(plain)


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    """After `python -m` with one of the programs and after `alterego`; other uses of python are left alone."""
    alterego = tmp_path / "alterego"
    alterego.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m alterego "$@"\n')
    alterego.chmod(0o755)
    script = 'source completions/alterego.bash; complete(){ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=();'
    script += ' _alterego "$1"; echo "${COMPREPLY[*]}"; };'
    lines = {"-m trainer tr": "train", "-m trainer export --gg": "--gguf", "-m bot tweet --e": "--era"}
    lines |= {"-m alterego do": "doctor", "-m http.server --b": "", "-m trai": ""}
    script += "".join(f"complete {shlex.quote(sys.executable)} {line};" for line in lines)
    script += f"complete {alterego} tweet --e; complete {alterego} bot do;"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [*lines.values(), "--era", "doctor"], done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completions_say_how_they_are_switched_on(shell: str) -> None:
    """In the file and in the page about commands."""
    line = f"source /path/to/alterego/completions/alterego.{shell}"
    assert line in (ROOT / "completions" / f"alterego.{shell}").read_text(encoding="utf-8")
    assert line in Path(ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", APPS)
def test_help_imports_nothing_heavy(package: str) -> None:
    """Neither what computes nor what reads settings: help is there at once."""
    heavy = "{'torch', 'transformers', 'numpy', 'pyarrow', 'sklearn', 'pydantic', 'sqlalchemy'}"
    asked = f"import sys, {package}.__main__; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
