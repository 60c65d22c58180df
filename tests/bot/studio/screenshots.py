"""The pictures of docs/, in light and dark and on a phone, of a persona that is trained:
python -m tests.bot.studio.screenshots persona.toml"""

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.bot.studio.browsing import Visit, served, visit
from tests.browser import DESK, PHONE, browser
from tests.conftest import run_here
from trainer.__main__ import app as trainer

PICTURES = Path(__file__).parents[3] / "docs" / "images"
COLOURS = 64  # enough for a page of text, and a third of the bytes
QUESTIONS = ("hey, are you open today?", "my bike has a flat tyre again", "want some dumplings?")
PATIENCE = 240_000  # milliseconds


def main(config: Path) -> None:
    """Take all of them."""
    PICTURES.mkdir(exist_ok=True)
    report = next(iter(sorted((config.parent / "adapters").glob("*/1/private/report.html"))))
    with tempfile.TemporaryDirectory(prefix="alterego-") as folder:
        page = Path(folder) / "game.html"
        made = run_here(
            trainer, "python -m trainer", "game", "--export", str(page), "--seed", "7", "--config", str(config)
        )
        assert made.returncode == 0, made.stderr
        exports = Path(folder) / "home" / "exports"
        shutil.copytree(config.parent / "exports", exports)
        with served(config) as address, served(exports.parent / "persona.toml") as empty, browser() as chromium:
            for scheme in ("light", "dark"):
                with visit(chromium, address, DESK, scheme) as opened:
                    chat(opened, scheme)
                    timeline(opened, scheme)
                    game(opened, scheme)
                with visit(chromium, address, PHONE, scheme) as opened:
                    for question in QUESTIONS[:2]:
                        opened.say(question)
                    taken(opened.page, f"studio-phone-{scheme}", whole=False)
                with visit(chromium, empty, DESK, scheme) as opened:
                    setup(opened, scheme)
                still(chromium, report, f"report-{scheme}", DESK, scheme)
                still(chromium, page, f"game-phone-{scheme}", PHONE, scheme, clicks=11)


def taken(page: Page, name: str, *, whole: bool = True) -> None:
    """Take a picture of the page as it is; whole: all of it, however long."""
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(400)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=whole)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def still(chromium: Browser, file: Path, name: str, size: dict[str, int], scheme: str, *, clicks: int = 0) -> None:
    """Take a picture of a page on the disk, after its first button was clicked so often."""
    page = chromium.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    for _ in range(clicks):
        page.locator("#round button").first.click()
    taken(page, name, whole=False)
    page.close()


def setup(opened: Visit, scheme: str) -> None:
    """The first steps: what the exports hold, and who is who."""
    page = opened.page
    page.fill("#train-folders textarea", "exports")
    page.click("#train-look")
    people = page.locator("#train-persona label")
    expect(people.filter(has_text="Jonas")).to_be_visible(timeout=PATIENCE)
    opened.settled()
    people.filter(has_text="Mara Voss (").first.click()
    page.locator("#train-agreed label").filter(has_text="Priya").first.click()
    page.locator("#train-agreed label").filter(has_text="Jonas").first.click()
    taken(page, f"studio-setup-{scheme}")


def chat(opened: Visit, scheme: str) -> None:
    """Two settings side by side."""
    page = opened.page
    page.locator("#chat-double input").check()
    page.locator("#voice-2 button").first.click()
    page.locator("#temperature-2 input[type=number]").fill("1.1")
    page.locator("#temperature-2 input[type=number]").press("Tab")
    page.locator("#voice-2 button").first.click()
    for question in QUESTIONS[:2]:
        opened.settled()
        page.fill("#chat-text textarea", question)
        page.click("#chat-send")
        page.wait_for_timeout(8_000)
        opened.settled()
    taken(page, f"studio-chat-{scheme}", whole=False)


def timeline(opened: Visit, scheme: str) -> None:
    """A page of tweets, and when they would come."""
    opened.tab("Timeline")
    expect(opened.page.locator("#tweets label").nth(4)).to_be_visible(timeout=PATIENCE)
    opened.settled()
    opened.page.locator("#tweets label").nth(2).click()
    taken(opened.page, f"studio-timeline-{scheme}")


def game(opened: Visit, scheme: str) -> None:
    """The first round."""
    opened.tab("Game")
    opened.page.click("#game-begin")
    expect(opened.page.locator("#game-told h2")).to_contain_text("1 of", timeout=PATIENCE)
    taken(opened.page, f"studio-game-{scheme}", whole=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
