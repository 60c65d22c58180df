"""The site of docs/: built strictly, and a page asks no other server for anything."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from persona.transcript import parse, render
from tests.conftest import ROOT

FETCHED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)")


@pytest.mark.skipif(not importlib.util.find_spec("material"), reason="pip install -r requirements-docs.txt")
def test_the_site_is_whole_and_asks_nobody_else(tmp_path: Path) -> None:
    """Every link and anchor leads somewhere, every page is in the contents, and scripts, fonts and pictures are its own."""
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.glob("*.html"))
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} <= {page.stem for page in pages}
    for page in pages:
        assert FETCHED.findall(page.read_text(encoding="utf-8")) == [], page.name
    for sheet in tmp_path.rglob("*.css"):
        assert "url(http" not in sheet.read_text(encoding="utf-8"), sheet.name


def test_the_transcript_that_is_shown_is_one() -> None:
    """What the page on the format shows is written as alterego writes it."""
    (shown,) = re.findall(r"^```transcript\n(.*?)^```", (ROOT / "docs/transcript.md").read_text(), re.M | re.S)
    assert render(parse(shown)) == shown
