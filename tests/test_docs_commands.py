"""Every command that README and docs print is one: its options exist, and what needs neither network nor hours runs."""

import asyncio
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from alterego.cli import app as alterego
from bot.__main__ import app as bot
from bot.store import BotStore
from persona.command import commands_of
from tests.conftest import PEOPLE, ROOT, Home, run_here
from trainer.__main__ import app as trainer

APPS = {"trainer": trainer, "bot": bot, "alterego": alterego}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
CALL = re.compile(
    r"(?:\$ )?(?:sudo )?(?:\w+=\S+ )*(?:torchrun (?:--\S+ \S+ )*-m (?P<distributed>trainer)"
    r"|(?:\.venv/bin/)?python -m (?P<program>trainer|bot)|alterego(?: (?P<part>bot|trainer)(?= ))?) (?P<words>.+)"
)
# What a test can't do: it asks somebody, serves until it is stopped, or takes hours of a model.
NOT_RUN = {
    "refine",
    "rollback",
    "run",
    "chat",
    "studio",
    "demo",
    "game",
    "train",
    "evaluate",
    "sweep",
    "doctor",
    "adopt",
}
LEFT_OUT = ("…", "⇥", "[PATH", "~/")  # an example of typing, or a place that only its reader has


class Printed(NamedTuple):
    """A command as a page prints it. app: which program. fenced: it stands there to be typed."""

    page: str
    app: str
    words: tuple[str, ...]
    fenced: bool

    @property
    def text(self) -> str:
        """As one line."""
        return f"{self.page}: {self.app} {shlex.join(self.words)}"


def printed() -> Iterator[Printed]:
    """Every command on every page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = [block.replace("\\\n", " ") for block in FENCE.findall(text)]
        lines = [line for block in blocks for line in block.splitlines()]
        spans = SPAN.findall(FENCE.sub("", text))
        for fenced, candidates in ((True, lines), (False, spans)):
            yield from (command for line in candidates if (command := read(page.name, line, fenced)))


def read(page: str, line: str, fenced: bool) -> Printed | None:
    """The command that a line is, if it is one of ours."""
    match = CALL.fullmatch(re.split(r"\s+#|\s*&&|\s*\||\s*>|\s*;", line.strip())[0].strip())
    if not match or any(sign in line for sign in LEFT_OUT):
        return None
    app = match["distributed"] or match["program"] or match["part"] or "alterego"
    words = tuple(shlex.split(match["words"]))
    return Printed(page, app, words, fenced) if re.fullmatch(r"-{0,2}[a-z-]+", words[0]) else None


COMMANDS = sorted(set(printed()))


def command_of(command: Printed) -> Any:
    """What typer knows of it."""
    return commands_of(APPS[command.app]).commands[command.words[0]]


def test_pages_print_commands() -> None:
    """And they are found: else nothing below is tested."""
    assert len(COMMANDS) > 60
    assert {command.app for command in COMMANDS} == set(APPS)
    assert sum(command.fenced for command in COMMANDS) > 30


@pytest.mark.parametrize("command", [c for c in COMMANDS if not c.words[0].startswith("-")], ids=lambda c: c.text)
def test_the_command_and_its_options_are_there(command: Printed) -> None:
    """What is printed to be typed has all that it needs, too."""
    known = command_of(command)
    options = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    named = {word.partition("=")[0] for word in command.words[1:] if re.match(r"--?[a-zA-Z]", word)}
    assert named <= options
    if command.fenced and "--help" not in named:
        known.make_context(command.words[0], list(command.words[1:]))


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.words[0].startswith("-")], ids=lambda c: c.text)
def test_an_option_of_the_program_is_there(command: Printed) -> None:
    """Such as --version."""
    options = {name for parameter in commands_of(APPS[command.app]).params for name in parameter.opts}
    assert command.words[0] in options | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_that_a_command_names_are_there(page: Path) -> None:
    """Requirements, benchmarks, modules, notebooks."""
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"(?:pip install -r|python|jupyter execute) ((?:[\w-]+/)*[\w.-]+\.(?:txt|py|ipynb))", text):
        assert (ROOT / name).is_file(), name
    for module in re.findall(r"python -m ((?:bench|tests|trainer|bot)\.[\w.]+)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@pytest.fixture(scope="module")
def reader(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home as a reader of the pages has it: exports, settings, a corpus, an adapter, a store."""
    home = Home(tmp_path_factory.mktemp("reader") / "home")
    shutil.copytree(trained.folder, home.folder, symlinks=True)

    async def begin() -> None:
        store = await BotStore.open("sqlite:///alterego.db", home.folder)
        await store.close()

    asyncio.run(begin())
    return home


def runnable() -> list[Printed]:
    """Those that are run, whatever takes something away last."""
    chosen = [
        command
        for command in COMMANDS
        if command.fenced and command.words[0] not in NOT_RUN and not command.words[0].startswith("-")
    ]
    return sorted(chosen, key=lambda command: (command.words[0] == "forget", command.words[0] == "init"))


@pytest.mark.parametrize("command", runnable(), ids=lambda command: command.text)
def test_it_runs_as_printed(command: Printed, reader: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the reader's home; a first run in an empty one; what is printed as /backup or /var is a folder of the test."""
    monkeypatch.setattr("sys.stdin", None)
    folder = reader.folder
    if command.words[0] == "init":
        (tmp_path / "exports").symlink_to(reader.folder / "exports")
        folder = tmp_path
    places = {place: str(tmp_path) for place in ("/backup", "/var/lib/alterego")}
    words = [re.sub("^(/backup|/var/lib/alterego)", lambda match: places[match[1]], word) for word in command.words]
    if command.words[0] == "init" and "--me" not in words:
        words += ["--me", "Mara Voss", "--yes", "--base", "scratch"]  # a page's reader is asked
    done = run_here(APPS[command.app], PROGRAMS[command.app], *words, cwd=folder)
    assert done.returncode == 0, done.stderr


PROGRAMS = {"trainer": "python -m trainer", "bot": "python -m bot", "alterego": "alterego"}


def test_the_people_of_the_pages_are_those_of_the_sample() -> None:
    """Whoever types what is printed finds them."""
    typed = [command for command in COMMANDS if command.fenced and command.words[0] != "remember"]
    named = {word for command in typed for word in command.words if " " in word}
    assert named <= {"Mara Voss", *PEOPLE.values()}
