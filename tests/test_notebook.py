"""The notebook, executed from top to bottom as on Colab: on the CPU, with a base grown on a tiny sample."""

import os
import shutil
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
COLAB = ROOT / "tests" / "fakes" / "colab"


def printed(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def uploads(folder: Path) -> None:
    """What the browser is asked for: first the program as a repository's archive, then the exports."""
    inside = folder / "made" / "alterego-main"
    for part in ("persona", "engine", "trainer", "bot"):
        shutil.copytree(ROOT / part, inside / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.txt", inside)
    (folder / "uploads" / "1").mkdir(parents=True)
    shutil.make_archive(str(folder / "uploads" / "1" / "alterego-main"), "zip", folder / "made")
    make(folder / "sample", seed=11, tweet_count=60, chat_count=120)
    (folder / "uploads" / "2").mkdir()
    for export in (folder / "sample").iterdir():
        if export.is_file():
            shutil.copy(export, folder / "uploads" / "2")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_trains_talks_and_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs; in the end the browser has the adapter as one file, sealed, and the settings to go with it."""
    uploads(tmp_path)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "content").mkdir()
    answers = {"ME": "Mara Voss", "CONSENT": "Jonas Lindqvist, 小雨", "BASE": "scratch", "QUANTIZE": "none"}
    for name, value in (answers | {"MINUTES": "0.05", "EPOCHS": "1"}).items():
        monkeypatch.setenv(f"ALTEREGO_{name}", value)
    monkeypatch.setenv("PYTHONPATH", str(COLAB))
    for name in ("uploads", "downloads"):
        monkeypatch.setenv(f"COLAB_{name.upper()}", str(tmp_path / name))
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(tmp_path / "content")}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=where).execute(env=dict(os.environ))
    said = {cell.id: printed(cell) for cell in notebook.cells if cell.cell_type == "code"}
    settings = load(tmp_path / "content" / "persona" / "persona.toml")
    assert (settings.base.minutes, settings.train.epochs) == (0.05, 1)
    assert set(settings.people) == {"JONAS LINDQVIST", "小雨"}
    assert current(settings.adapters).seal.speaker == "MARA VOSS"
    assert "Mara Voss: " in said["chat"]
    assert said["tweet"].strip()
    assert sorted(path.name for path in (tmp_path / "downloads").iterdir()) == ["alterego.tar", "persona.toml"]
    assert settings.sources[0].is_dir(), "nothing is taken away unless asked for"


def test_the_notebook_is_kept_without_outputs() -> None:
    """What somebody's exports made a cell say must not be committed."""
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    assert [one.id for one in notebook.cells if one.cell_type == "code" and (one.outputs or one.execution_count)] == []
