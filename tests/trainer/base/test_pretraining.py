"""A base from scratch sees a number of tokens, whatever the clock says; a limit that cuts it short is told."""

import json
from pathlib import Path

import pytest

from persona.transcript import Conversation, Turn
from trainer.base.pretraining import PATIENCE, minutes_for, pretrain
from trainer.progress import Bars

TALK = [Conversation("group", (Turn("MARA", (f"the bike number {k} has a flat tyre",)),), 2020) for k in range(30)]


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    return [line["said"] for line in lines if "said" in line]


def test_a_limit_that_bites_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With how much of the text was seen, and what to do."""
    trained = pretrain(TALK, tmp_path, minutes=1e-6, seed=0, bars=Bars(quiet=True, for_programs=True))
    assert trained.steps == 1
    (sentence,) = [line for line in told(capsys) if "time limit" in line]
    assert "% of its tokens" in sentence
    assert "[base] minutes" in sentence


def test_without_a_limit_all_tokens_are_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is said of a limit."""
    trained = pretrain(TALK, tmp_path, minutes=None, seed=0, bars=Bars(quiet=True, for_programs=True))
    assert trained.steps > 1
    assert not [line for line in told(capsys) if "time limit" in line]


def test_a_busy_machine_has_time_enough() -> None:
    """It needs about twice as long as a quiet one."""
    assert PATIENCE >= 3
    assert minutes_for(472_168) < 5
