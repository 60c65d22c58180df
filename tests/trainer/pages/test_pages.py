"""The pages that the trainer writes, in Chromium: read by everybody, in light and dark, at a desk and on a phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESK, PHONE, browser, needs_chromium, overflow, violations
from tests.conftest import Home, run_here
from tests.trainer.evaluate.voices import ANNA, BORIS, said
from trainer.__main__ import app as trainer
from trainer.game.game_page import game_page
from trainer.game.rounds import FRIEND, GameResult, Round, read_results

pytestmark = needs_chromium

SMALLEST = 9.5  # pixels of a letter in a chart
LETTERS = """() => [...document.querySelectorAll('svg text')].filter(text => text.getClientRects().length)
  .map(text => text.getBoundingClientRect().height / 1.2)"""
OUTSIDE = """() => [...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length).flatMap(svg =>
  [...svg.querySelectorAll('text')].filter(text => {
    const inner = text.getBoundingClientRect(), outer = svg.getBoundingClientRect();
    return inner.left < outer.left - 1 || inner.right > outer.right + 1;
  }).map(text => text.textContent))"""
OVER_EACH_OTHER = """() => [...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length).flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], index) => boxes.slice(index + 1).filter(([, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
    .map(([other]) => `${one}/${other}`));
})"""


@pytest.fixture(scope="module")
def pages(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of the session's adapter, the stats of its corpus, a game."""
    folder = tmp_path_factory.mktemp("pages")
    report = next((trained.folder / "adapters").glob("*/1/private/report.html"))
    shutil.copy(report, folder / "report.html")
    done = run_here(
        trainer, "python -m trainer", "stats", "--config", str(trained.config), "--html", str(folder / "stats.html")
    )
    assert done.returncode == 0, done.stderr
    (folder / "game.html").write_text(game_page("Anna <b>", "0000002a", ROUNDS), encoding="utf-8")
    return {path.stem: path for path in folder.iterdir()}


ROUNDS = [
    Round((("Boris", f"number {number}?\nand you?"),), (real, fake) if number % 2 else (fake, real), 1 - number % 2)
    for number, (real, fake) in enumerate(zip(said(ANNA, 4, seed=1), said(BORIS, 4, seed=2), strict=True))
]


@pytest.fixture(scope="module")
def chromium(pages: dict[str, Path]) -> Iterator[Browser]:
    """After the pages: Playwright keeps a loop running in this thread."""
    with browser() as started:
        yield started


@pytest.fixture
def game(chromium: Browser, pages: dict[str, Path]) -> Iterator[Page]:
    """The game, about to begin: a friend plays."""
    page = chromium.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(pages["game"].as_uri())
    page.get_by_role("button", name="Yes, we know each other").click()
    yield page
    page.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "stats", "game"])
def test_everybody_can_read_it(
    chromium: Browser, pages: dict[str, Path], name: str, scheme: str, size: dict[str, int]
) -> None:
    """axe-core has no objection, nothing sticks out, and a chart's letters are large enough and apart."""
    page = chromium.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(pages[name].as_uri())
    assert violations(page) == []
    assert overflow(page) <= 0
    letters = page.evaluate(LETTERS)
    assert min(letters, default=SMALLEST) >= SMALLEST
    assert bool(letters) == (name != "game")
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(OVER_EACH_OTHER) == []
    page.close()


def test_one_colour_is_one_person_on_the_whole_report(chromium: Browser, pages: dict[str, Path]) -> None:
    """Bars, texts and legend: you are the colour of the person, the imitation has its own."""
    page = chromium.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(pages["report"].as_uri())
    colour = "(element, name) => getComputedStyle(element)[name]"
    legend = page.locator(".legend").first
    assert legend.inner_text().split("\n") == ["the imitation", "you"]
    ours, yours = (legend.locator("i").nth(number).evaluate(colour, "backgroundColor") for number in (0, 1))
    assert ours != yours
    assert page.locator("td.imitation").first.evaluate(colour, "color") == ours
    assert page.locator("td.person").first.evaluate(colour, "color") == yours
    hours = page.get_by_label("When you write").first.locator("rect").first
    assert hours.evaluate(colour, "fill") == yours
    page.close()


def test_the_persona_has_the_same_colour_in_the_stats(chromium: Browser, pages: dict[str, Path]) -> None:
    """However many others there are."""
    page = chromium.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(pages["stats"].as_uri())
    names = page.locator(".legend").first.locator("li")
    shades = {name.inner_text(): name.locator("i").get_attribute("class") for name in names.all()}
    assert shades["Mara Voss"] == "person"
    assert len(set(shades.values())) == len(shades)
    page.close()


def test_what_was_wrong_in_the_game_is_shown(game: Page) -> None:
    """Who always takes the first is fooled twice, and sees both answers by name; what is HTML in a name is text."""
    play(game, "0000")
    expect(game.locator("h2")).to_have_text("You found the real one in 2 of 4.")
    wrong = [shown for shown in ROUNDS if shown.real == 1]
    assert game.locator("b.person").all_inner_texts() == ["Anna <b>: "] * len(wrong)
    for shown in wrong:
        expect(game.locator("#round")).to_contain_text(f"Anna <b>: {shown.answers[1]}")
        expect(game.locator("#round")).to_contain_text(f"the imitation, which you chose: {shown.answers[0]}")
    assert violations(game) == []
    assert overflow(game) <= 0


def test_a_result_is_copied_with_a_sentence_that_says_what_it_is(game: Page) -> None:
    """And is found in it again."""
    game.context.grant_permissions(["clipboard-read", "clipboard-write"])
    play(game, "0101")
    game.get_by_role("button", name="Copy").click()
    expect(game.get_by_role("status")).to_have_text("Copied.")
    text = game.evaluate("navigator.clipboard.readText()")
    assert text.startswith("I found the real Anna <b> in 0 of 4.") or text.startswith(
        "I found the real Anna <b> in 4 of 4."
    )
    assert "alterego game --tally" in text
    digits = "".join(shown.digit(side) for side, shown in zip((0, 1, 0, 1), ROUNDS, strict=True))
    assert list(read_results(text).values()) == [GameResult(digits, FRIEND)]


def test_who_plays_again_is_not_counted_again(game: Page) -> None:
    """The answers are known by then."""
    play(game, "0101")
    result = game.locator("code").inner_text()
    game.get_by_role("button", name="Play again").click()
    play(game, "1010")
    expect(game.locator("#round")).to_contain_text("Only your first game counts")
    assert game.locator("code").count() == 0
    assert result.startswith("alterego-0000002a-")


def play(game: Page, sides: str) -> None:
    """Choose a side in each round."""
    for side in sides:
        game.locator("#round button").nth(int(side)).click()
