"""The notebook, executed from top to bottom: on the CPU, with a base grown on a tiny sample."""

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from examples.make_sample import make
from persona.bundle import current
from persona.config import load
from tests.conftest import ROOT

NOTEBOOK = ROOT / "notebooks" / "alterego.ipynb"


def printed(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_trains_talks_and_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs; in the end there is a sealed adapter and the file to take home."""
    make(tmp_path / "exports", seed=11, tweet_count=60, chat_count=120)
    answers = {
        "ME": "Mara Voss",
        "CONSENT": "Jonas Lindqvist, 小雨",
        "BASE": "scratch",
        "QUANTIZE": "none",
        "MINUTES": "0.05",
        "EPOCHS": "1",
        "PROJECT": str(ROOT),
        "EXPORTS": str(tmp_path / "exports"),
        "HOME": str(tmp_path / "home"),
    }
    for name, value in answers.items():
        monkeypatch.setenv(f"ALTEREGO_{name}", value)
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute(cwd=str(tmp_path), env=dict(os.environ))
    said = {cell.id: printed(cell) for cell in notebook.cells if cell.cell_type == "code"}
    settings = load(tmp_path / "home" / "persona.toml")
    assert (settings.base.minutes, settings.train.epochs) == (0.05, 1)
    assert current(settings.adapters).seal.speaker == "MARA VOSS"
    assert set(settings.people) == {"JONAS LINDQVIST", "小雨"}
    assert "Mara Voss: " in said["chat"]
    assert said["tweet"].strip()
    assert (tmp_path / "home" / "alterego.tar").stat().st_size > 10_000
    assert (tmp_path / "exports").is_dir(), "nothing is taken away unless asked for"


def test_the_notebook_is_kept_without_outputs() -> None:
    """What somebody's exports made a cell say must not be committed."""
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    assert [
        cell.id for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)
    ] == []
