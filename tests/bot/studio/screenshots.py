"""The pictures of docs/studio.md, taken from a persona that is trained: python -m tests.bot.studio.screenshots persona.toml"""

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect

from tests.bot.studio.browsing import Visit, served, visit
from tests.browser import PHONE, browser

PICTURES = Path(__file__).parents[3] / "docs" / "images"
COLOURS = 96  # enough for a page of text, and a third of the bytes
QUESTIONS = ("hey, are you open today?", "my bike has a flat tyre again", "want some dumplings?")


def main(config: Path) -> None:
    """Take all of them."""
    PICTURES.mkdir(exist_ok=True)
    with served(config) as address, browser() as chromium:
        with visit(chromium, address) as found:
            chat(found)
            timeline(found)
            training(found)
            game(found)
        phone(chromium, address)


def taken(found: Visit, name: str, *, whole: bool = True) -> None:
    """A picture of the page as it is; whole: all of it, however long."""
    found.page.mouse.move(0, 0)
    found.page.wait_for_timeout(400)
    path = PICTURES / f"studio-{name}.png"
    found.page.screenshot(path=path, full_page=whole)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def chat(found: Visit) -> None:
    """Two settings side by side."""
    found.page.locator("#chat-double input").check()
    found.page.locator("#voice-2 button").first.click()
    found.page.locator("#temperature-2 input[type=number]").fill("1.1")
    found.page.locator("#temperature-2 input[type=number]").press("Tab")
    found.page.locator("#voice-2 button").first.click()
    for number, question in enumerate(QUESTIONS[:2], 1):
        found.page.fill("#chat-text textarea", question)
        found.page.click("#chat-send")
        for side in (1, 2):
            expect(found.page.locator(f"#log-{side} .bot.message")).to_have_count(number, timeout=60_000)
        found.settled()
    taken(found, "chat")


def timeline(found: Visit) -> None:
    """A page of tweets, and when they would come."""
    found.tab("Timeline")
    expect(found.page.locator("#tweets label").nth(6)).to_be_visible(timeout=60_000)
    found.settled()
    found.page.locator("#tweets label").nth(2).click()
    taken(found, "timeline")


def training(found: Visit) -> None:
    """What the exports hold, and a training with its loss."""
    found.tab("Train")
    found.page.click("#train-look")
    expect(found.page.locator("#train-found tbody tr").last).to_contain_text("all", timeout=60_000)
    found.page.click("#train-start")
    expect(found.page.locator("#train-loss svg, #train-loss canvas").first).to_be_visible(timeout=120_000)
    expect(found.page.locator("#train-status")).to_contain_text("held-out", timeout=150_000)
    found.page.wait_for_timeout(5_000)
    taken(found, "train")
    found.page.click("#train-stop")
    expect(found.page.locator("#train-status")).to_contain_text("interrupted", timeout=60_000)


def game(found: Visit) -> None:
    """The first round."""
    found.tab("Game")
    found.page.click("#game-begin")
    expect(found.page.locator("#game-told h3")).to_contain_text("1 of", timeout=120_000)
    taken(found, "game", whole=False)


def phone(chromium: Browser, address: str) -> None:
    """The chat at 390 pixels."""
    with visit(chromium, address, PHONE) as found:
        for question in QUESTIONS[:2]:
            found.say(question)
        taken(found, "phone", whole=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
