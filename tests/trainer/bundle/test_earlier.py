"""Which version speaks again after a rollback."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from persona.bundle import BaseModelSeal, Seal, current, draft, point_current, publish
from persona.errors import PermanentError, UserError
from persona.retraining import mark
from tests.conftest import ROOT, Home, run_here
from trainer.__main__ import app


def sealed(home: Path, **gate: Any) -> None:
    """A version without files; the last one that passed is current."""
    base = BaseModelSeal(model="scratch", weights="", architecture="qwen3")
    seal = Seal(speaker="A", speakers={}, end_of_turn=0, stops=(0,), max_length=64, base=base, metrics={"gate": gate})
    with draft(home) as folder:
        bundle = publish(folder, seal)
    if gate.get("passed", True):
        point_current(bundle)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).settings('[persona]\nname = "A"\n')


def rollback(home: Home, *words: str) -> tuple[int, str, str]:
    """The command."""
    done = run_here(app, "python -m trainer", "rollback", *words, "--config", str(home.config), cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def test_the_last_good_version_before_speaks_again(home: Home) -> None:
    """Past those that were held back; then there is none left, and forward goes by number."""
    adapters = home.folder / "adapters" / "a"
    for passed in (True, False, True):
        sealed(adapters, passed=passed)
    code, out, _ = rollback(home, "--json")
    assert (code, json.loads(out)["from"], current(adapters).version) == (0, "3", "1")
    code, _, err = rollback(home)
    assert (code, "nothing to roll back to: no version before 1" in err, current(adapters).version) == (1, True, "1")
    assert rollback(home, "2")[0] == 0
    assert current(adapters).version == "2"
    code, _, err = rollback(home, "7")
    assert (code, "it has 1, 2, 3" in err) == (2, True)


def test_nobody_who_was_forgotten_speaks_again(home: Home) -> None:
    """A version that learned from them is passed over, and refused by number."""
    adapters = home.folder / "adapters" / "a"
    sealed(adapters)
    sealed(adapters)
    mark(adapters, ["1"], datetime(2026, 1, 1, tzinfo=UTC))
    assert "1 learned from somebody who is to be forgotten" in rollback(home)[2]
    assert "train anew" in rollback(home, "1")[2]
    assert current(adapters).version == "2"


def test_without_any_adapter_it_says_so(home: Home) -> None:
    """As every command does that needs one."""
    code, _, err = rollback(home)
    assert (code, "no current adapter" in err) == (PermanentError("").exit_code, True)
    assert issubclass(PermanentError, UserError)
