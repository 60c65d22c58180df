"""Chromium, headless, and what axe-core finds wrong in a page (WCAG 2.2 A and AA, and its best practices)."""

import contextlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here to open the page with")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1080, "height": 860}
_RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(({id, nodes}) =>
  `${id}: ${nodes.map(node => `${node.target} (${node.any[0]?.message ?? node.all[0]?.message ?? ''})`).join('; ')}`)"""


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


_AT_REST = """() => Promise.all(document.getAnimations()
    .filter(each => each.effect?.getComputedTiming().endTime < 5000).map(each => each.finished.catch(() => null)))"""


def violations(page: Page | Frame) -> list[str]:
    """Return a sentence for each rule of axe-core that a page breaks, with the elements that break it."""
    page.evaluate(_AT_REST)  # a colour on its way to another is nobody's choice
    page.evaluate(_axe())
    broken: list[str] = page.evaluate(_RUN)
    return broken


def overflow(page: Page | Frame) -> int:
    """Return by how many pixels a page is wider than its window."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


def _axe() -> str:
    package = importlib.util.find_spec("axe_playwright_python")
    assert package and package.origin
    return Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")
