"""What README and docs say is there is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from bot.__main__ import app as bot
from persona.command import commands_of
from trainer.__main__ import app as trainer

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To files of this repository; the web is not asked."""
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_captioned_tree_is_the_tree() -> None:
    """Every path in it exists."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = next(block for block in text.split("```") if "persona/  " in block)
    parent = ""
    for line in tree.strip().splitlines():
        name = line.split()[0]
        parent = name if not line.startswith(" ") else parent
        assert (ROOT / (name if name == parent else parent + name)).exists(), line


def test_every_make_target_that_is_named_exists() -> None:
    """In README, docs and settings."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in [*PAGES, ROOT / "examples" / "persona.toml"]:
        named = set(re.findall(r"make ([a-z-]+)", " ".join(re.findall(r"`+[^`]+`+", page.read_text(encoding="utf-8")))))
        assert named <= targets, page.name


@pytest.mark.parametrize(("package", "app"), [("trainer", trainer), ("bot", bot)])
def test_every_command_that_is_named_exists(package: str, app: typer.Typer) -> None:
    """In README, docs, settings and the notebook."""
    pages = [*PAGES, ROOT / "examples" / "persona.toml", ROOT / "notebooks" / "alterego.ipynb"]
    text = " ".join(page.read_text(encoding="utf-8") for page in pages)
    assert set(re.findall(rf"python -m {package} ([a-z]+)", text)) <= set(commands_of(app).commands)


@pytest.mark.skipif(not shutil.which("make"), reason="no make here")
def test_an_index_without_pytorch_is_told_in_a_sentence(tmp_path: Path) -> None:
    """pip's own last words are about some other package."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "made").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").symlink_to(shutil.which("false") or "/bin/false")
    words = ["make", "-s", ".venv/installed", "BIN=bin", "TORCH=cpu"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "PyTorch without CUDA could not be had" in done.stderr
    assert not (tmp_path / ".venv" / "installed").exists()
