"""`refine`, from votes to a sealed candidate: what is too little, what is interrupted, and what the gate holds back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from persona.bundle import current, open_bundle, versions
from persona.config import load
from persona.transcript import Conversation, Turn, render
from tests.conftest import Home, run_here
from trainer.__main__ import app
from trainer.refine import refining
from trainer.refine.kto_training import KtoTraining

Refine = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def own(tmp_path: Path, trained: Home) -> Home:
    """A home of its own with the session's adapter and corpus."""
    shutil.copytree(trained.folder, tmp_path / "own", symlinks=True)
    return Home(tmp_path / "own")


def votes(folder: Path, liked: int, refused: int, corrected: int = 0) -> Path:
    """A file of so many votes on invented answers, and so many corrections of others."""
    lines = []
    for number in range(liked + refused + corrected):
        turns = (Turn("JONAS", (f"shall we meet at {number}?",)),)
        said = "no notes" if number < liked else "honestly, the tram"
        line: dict[str, Any] = {"account": "studio:page", "prompt": render(Conversation("group", turns, 2024))}
        line |= {"completion": said, "score": 1 if number < liked else -1, "adapter": "MARA VOSS long ago"}
        lines.append(json.dumps(line | {"right": "bring the bike" if number >= liked + refused else ""}))
    path = folder / "votes.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def refine(home: Home, *words: str) -> tuple[int, str, str]:
    """The command."""
    done = run_here(app, "python -m trainer", "refine", *words, "--config", str(home.config))
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("liked", "refused", "counted"),
    [(0, 0, "0 new votes"), (30, 0, "30 new votes and corrections, 0 of"), (8, 1, "9 new")],
)
def test_too_little_to_learn_from_is_a_sentence(home: Home, liked: int, refused: int, counted: str) -> None:
    """Nothing, likes alone, or nine votes; of the nightly timer it is no fault."""
    file = str(votes(home.folder, liked, refused))
    code, _, err = refine(home, "--feedback", file)
    assert (code, "too little to learn from" in err, counted in err) == (1, True, True)
    code, out, _ = refine(home, "--feedback", file, "--if-enough")
    assert (code, out.startswith("unchanged: there is too little")) == (0, True)


def test_without_a_store_there_are_no_votes(home: Home) -> None:
    """The bot is asked, and answers with nothing."""
    assert "0 new votes" in refine(home)[2]
    assert not (home.folder / "alterego.db").exists()


def test_a_plan_counts_and_refines_nothing(own: Home) -> None:
    """One refusal of ten is enough to begin."""
    code, out, err = refine(own, "--feedback", str(votes(own.folder, 9, 1)), "--plan", "--json")
    assert code == 0, err
    planned = json.loads(out)
    assert (planned["version"], planned["refused"], planned["left_out"]) == ("1", 1, 0)
    assert planned["liked"] + planned["held_out"] == 9
    assert planned["steps"] > 0
    assert versions(load(own.config).adapters) == [1]


def test_a_candidate_is_sealed_and_held_back(own: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it learned, the verdict, and the votes in the report; the base and the logit bias are as they were. Nothing
    new, nothing to do; rollback goes to any version."""
    monkeypatch.setattr(refining, "SECONDS", 2.0)
    file = str(votes(own.folder, 20, 14, 6))
    code, out, err = refine(own, "--feedback", file, "--json")
    assert code == 0, err
    result = json.loads(out)
    home = load(own.config).adapters
    old, new = current(home), open_bundle(home / "2")
    assert (result["current"], old.version, result["metrics"]["gate"]["passed"]) == (False, "1", False)
    assert result["metrics"]["refined"]["corrections"] > 0
    assert (new.seal.sampling, new.seal.data["refined"]["from"]) == (old.seal.sampling, "1")
    assert len(json.loads((new.private / refining.LEARNED).read_text())) == 40
    page = (new.private / "report.html").read_text()
    assert "What people thought of it" in page
    assert "bring the bike" in page
    before, after = (load_file(bundle.folder / "adapter_model.safetensors") for bundle in (old, new))
    moved = {name for name in before if not before[name].equal(after[name])}
    assert moved
    assert not [name for name in moved if "lora" not in name or "lm_head" in name]
    code, out, _ = refine(own, "--feedback", file, "--if-enough")
    assert (code, "nothing new to learn from since" in out) == (0, True)
    assert run_here(app, "python -m trainer", "rollback", "2", "--config", str(own.config)).returncode == 0
    assert "0 new votes" in refine(own, "--feedback", file)[2]  # all of it is learned


def test_interrupted_it_leaves_nothing_half_written(own: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a draft nor another current; and the lock is free for the next one."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    home = load(own.config).adapters
    before = sorted(path.name for path in home.iterdir())
    monkeypatch.setattr(KtoTraining, "run", interrupted)
    code, _, err = refine(own, "--feedback", str(votes(own.folder, 20, 20)))
    assert (code, "nothing was left half-written" in err) == (130, True)
    assert sorted(path.name for path in home.iterdir()) == before
    assert refine(own, "--feedback", str(votes(own.folder, 20, 20)), "--plan")[0] == 0
