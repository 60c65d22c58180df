"""A base from scratch sees a number of tokens, whatever the clock says; a limit that cuts it short is told."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from persona.transcript import Conversation, Turn
from trainer.base.pretraining import (
    MAX_MINUTES,
    MAX_PASSES,
    PASSES,
    PATIENCE,
    QUIET_RATES,
    Size,
    budget_for,
    pretrain,
    size_for,
)
from trainer.progress import Advance, Bars

TALK = [Conversation("group", (Turn("MARA", (f"the bike number {k} has a flat tyre",)),), 2020) for k in range(30)]


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    return [line["said"] for line in lines if "said" in line]


def test_a_limit_that_bites_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With how much of the text was seen, and what to do."""
    bars = Bars(quiet=True, for_programs=True)
    trained = pretrain(TALK, tmp_path, minutes=None, seed=0, bars=bars, patience=1e-9)
    assert trained.steps == 1
    (sentence,) = [line for line in told(capsys) if "pretraining ended" in line]
    assert "% of its tokens" in sentence
    assert "[base] minutes" in sentence


def test_a_limit_that_bites_is_told_if_nothing_else_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for JSON alone gets a worse base too."""
    pretrain(TALK, tmp_path, minutes=None, seed=0, bars=Bars(quiet=True), patience=1e-9)
    assert any(line.startswith("pretraining ended after") for line in capsys.readouterr().err.splitlines())


def test_without_a_limit_all_tokens_are_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is said of a limit."""
    bars = Bars(quiet=True, for_programs=True)
    trained = pretrain(TALK, tmp_path, minutes=None, seed=0, bars=bars, patience=math.inf)
    assert trained.steps > 1
    assert not [line for line in told(capsys) if "pretraining ended" in line]


class Interrupted(Bars):
    """Bars at which somebody presses Ctrl-C once so much of a task is done."""

    @contextmanager
    def task(self, name: str, total: float) -> Iterator[Advance]:
        """Pass on what is done, up to then."""
        done = 0.0

        def advance(steps: float, note: str | None = None) -> None:
            nonlocal done
            done += steps
            if done > 0.7 * total:
                raise KeyboardInterrupt

        yield advance


def test_interrupted_it_goes_on_and_ends_as_if_it_had_not_been(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the last of its checkpoints, to the same weights; none is left in the base."""
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    trained = pretrain(TALK, whole, minutes=None, seed=0, bars=Bars(quiet=True), patience=math.inf)
    with pytest.raises(KeyboardInterrupt):
        pretrain(TALK, resumed, minutes=None, seed=0, bars=Interrupted(quiet=True), patience=math.inf)
    bars = Bars(quiet=True, for_programs=True)
    rest = pretrain(TALK, resumed, minutes=None, seed=0, bars=bars, patience=math.inf)
    assert [line for line in told(capsys) if line.startswith("going on at step ")]
    assert rest.steps == trained.steps
    assert rest.tokens < 0.5 * trained.tokens
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (resumed, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not list(resumed.glob("checkpoint-*"))


@pytest.mark.parametrize("size", QUIET_RATES)
def test_minutes_are_as_many_tokens_as_quiet_cores_see_in_them(size: Size) -> None:
    """So a clock decides on a slow or busy machine alone, and a quick one is done sooner."""
    budget = budget_for(size, 150_000, 2)
    assert budget.tokens == 2 * 60 * QUIET_RATES[size]
    assert budget.minutes == pytest.approx(2)
    assert PATIENCE >= 6  # some quiet machines take twice as long, and busy ones twice as long again


@pytest.mark.parametrize(
    ("tokens", "passes"),
    [(10_000, MAX_PASSES), (40_000, 21), (150_000, PASSES), (1_000_000, 5.5), (6_000_000, 1)],
)
def test_without_minutes_the_text_decides(tokens: int, passes: float) -> None:
    """A small one is seen often, a large one once, none for more than forty minutes."""
    budget = budget_for(size_for(3 * tokens), tokens)
    assert budget.tokens == pytest.approx(passes * tokens, rel=0.01)
    assert budget.minutes <= MAX_MINUTES
    assert budget_for(size_for(10**9), 3 * 10**8).minutes == pytest.approx(MAX_MINUTES)
