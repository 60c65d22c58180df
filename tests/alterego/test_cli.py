"""`alterego`: every command of both programs, and sentences that name commands as they are typed."""

import re
from pathlib import Path

import pytest

from alterego.cli import FORGET, app
from bot.__main__ import app as bot
from persona.command import CALLER, commands_of
from tests.conftest import Home, run_here
from trainer.__main__ import app as trainer


def test_it_has_every_command_of_both_programs() -> None:
    """One that is added to either is here too; `alterego bot doctor` is kept beside `alterego doctor`."""
    commands = commands_of(app).commands
    both = {**commands_of(trainer).commands, **commands_of(bot).commands}
    assert set(commands) == {*both, "demo", "trainer", "bot"}
    for name, command in both.items():
        if name != FORGET:
            assert [option.name for option in commands[name].params] == [option.name for option in command.params], name
    assert set(commands_of(trainer).commands) & set(commands_of(bot).commands) == {FORGET}
    done = run_here(app, "alterego", "bot", "tweet", "--help")
    assert (done.returncode, "--era" in done.stdout) == (0, True)


def test_the_help_lists_the_commands_under_headings() -> None:
    """And not the two programs themselves."""
    printed = run_here(app, "alterego", "--help").stdout
    headings = ("Try it", "Make a persona", "Let it speak", "Look after it")
    assert sorted(map(printed.index, headings)) == [printed.index(heading) for heading in headings]
    assert " trainer " not in printed


def test_a_sentence_names_the_command_that_was_typed(tmp_path: Path) -> None:
    """Whoever has installed `alterego` has no `python -m trainer`, and the other way round."""
    config = tmp_path / "persona.toml"
    config.write_text('[persona]\nname = "Mara"\n', encoding="utf-8")
    installed = run_here(app, "alterego", "train", "--config", str(config))
    assert (installed.returncode, "run 'alterego import PATH'" in installed.stderr) == (1, True)
    module = run_here(trainer, "python -m trainer", "train", "--config", str(config))
    assert (module.returncode, "run 'python -m trainer import PATH'" in module.stderr) == (1, True)


@pytest.mark.parametrize(
    ("who", "sentence"),
    [("discord:1", "Nothing was stored of discord:1"), ("zelda_q", "there is no corpus")],
)
def test_forget_asks_the_store_for_a_live_user_and_the_corpus_for_a_name(home: Home, who: str, sentence: str) -> None:
    """Told apart by the platform before the id."""
    done = run_here(app, "alterego", "forget", who, "--config", str(home.config))
    assert sentence in done.stdout + done.stderr


@pytest.mark.parametrize(("who", "code"), [("discord:1", 2), ("zelda_q", 1)])
@pytest.mark.parametrize("option", ["--dry-run", "--undo"])
def test_forget_has_the_options_that_its_sentences_name(home: Home, who: str, code: int, option: str) -> None:
    """Those of the exports; of a live user there is nothing to try or to take back."""
    done = run_here(app, "alterego", "forget", who, option, "--config", str(home.config))
    assert (done.returncode, "live user" in done.stderr) == (code, code == 2), done.stderr


def test_what_the_doctor_finds_names_the_command_that_was_typed(tmp_path: Path) -> None:
    """Its findings are on stdout, so no error message translates them."""
    config = tmp_path / "persona.toml"
    config.write_text('[persona]\nname = "Mara"\n', encoding="utf-8")
    printed = run_here(app, "alterego", "doctor", "--config", str(config)).stdout
    assert "run 'alterego train'" in printed
    assert "python -m" not in printed


def test_make_demo_names_what_make_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo` runs alterego in a checkout, where no such command is installed."""
    monkeypatch.setenv(CALLER, "make")
    done = run_here(app, "alterego", "chat", cwd=tmp_path)
    assert "make it with 'make init'" in done.stderr


def test_without_settings_it_says_how_to_make_them(tmp_path: Path) -> None:
    """Whoever installed `alterego` has no sample to copy."""
    done = run_here(app, "alterego", "chat", cwd=tmp_path)
    assert (done.returncode, "make it with 'alterego init'" in done.stderr) == (2, True)


def test_help_shows_no_gap_where_a_table_of_the_settings_was_named() -> None:
    """Rich takes [data] for a style and prints nothing."""
    for name, command in commands_of(app).commands.items():
        for option in command.params:
            assert not re.search(r"\[[a-z]+\]", getattr(option, "help", None) or ""), (name, option.name)
