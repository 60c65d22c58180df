"""The studio's page, as somebody uses it in a browser."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.store import BotStore
from tests.bot.studio.browsing import DESK, PHONE, Visit, browser, connections, needs_chromium, served, visit
from tests.conftest import PEOPLE, Home

pytestmark = needs_chromium

PATIENCE = 180_000  # milliseconds for a command that the page starts, on a machine that does much else


@pytest.fixture(scope="module")
def lived_in(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home of its own with two versions of the session's adapter, and a bot that was on Discord once."""
    home = Home(tmp_path_factory.mktemp("studio") / "home")
    shutil.copytree(trained.folder, home.folder, symlinks=True)
    versions = next((home.folder / "adapters").iterdir())
    shutil.copytree(versions / "1", versions / "2")
    text = home.config.read_text(encoding="utf-8")
    home.settings(f'{text}\n[tweets]\nto = ["discord:7"]\n[engine]\nkind = "transformers"\n')

    async def meet() -> None:
        store = await BotStore.open("sqlite:///alterego.db", home.folder)
        await store.channels.keep_account("discord:1")
        await store.close()

    asyncio.run(meet())
    return home


@pytest.fixture(scope="module")
def address(lived_in: Home) -> Iterator[str]:
    """The page; whatever is done there, its server asks no other machine."""
    with connections() as abroad, served(lived_in.config) as found:
        yield found
        assert abroad == []


@pytest.fixture(scope="module")
def chromium(address: str) -> Iterator[Browser]:
    """After the home and its server: Playwright keeps a loop running in this thread."""
    with browser() as found:
        yield found


@pytest.fixture
def visitor(chromium: Browser, address: str) -> Iterator[Visit]:
    """Somebody at a desk. Whatever they do, nothing is asked of another machine, and the console stays silent."""
    with visit(chromium, address) as found:
        yield found
        assert found.abroad == []
        assert found.complaints == []


def rows(home: Home, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(home.folder / "alterego.db") as store:
        return store.execute(query).fetchall()


def test_it_is_painted_before_anybody_waits(visitor: Visit) -> None:
    """How soon is printed, and stands in docs/studio.md; a busy machine may take longer."""
    paints = visitor.page.evaluate("performance.getEntriesByType('paint').map(one => [one.name, one.startTime])")
    print(paints)
    assert {name for name, _ in paints} == {"first-paint", "first-contentful-paint"}


def test_it_answers_says_it_again_and_keeps_what_is_thought_of_it(visitor: Visit, lived_in: Home) -> None:
    """With the whole talk and the answer that was rated."""
    page = visitor.page
    visitor.say("hey, are you open today?")
    assert visitor.answers == 1
    visitor.again()
    expect(page.locator(".bot.message")).to_have_count(1)
    answer = page.locator(".bot.message").inner_text().strip()
    page.get_by_label("Like", exact=True).last.click()
    page.get_by_text("Kept as feedback.").wait_for()
    ((score, prompt, completion),) = rows(lived_in, "select score, prompt, completion from feedback")
    assert score == 1
    assert "YOU:\nhey, are you open today?" in str(prompt)
    assert completion == answer


def test_what_was_typed_is_edited_and_answered_anew(visitor: Visit) -> None:
    """In a group, as Jonas."""
    page = visitor.page
    page.fill("#chat-name input, #chat-name textarea", "Jonas Lindqvist")
    page.get_by_label("group").check()
    visitor.say("did the swan come back?")
    page.get_by_label("Edit").first.click()
    page.locator("#log-1 textarea").fill("is the lamp on?")
    visitor.settled()
    page.get_by_label("Submit").click()
    expect(page.locator(".user.message")).to_have_text("is the lamp on?")
    visitor.settled()
    expect(page.locator(".bot.message")).to_have_count(1)


def test_two_versions_answer_side_by_side(visitor: Visit) -> None:
    """Each with sliders of its own, on which the calibrated values are marked."""
    page = visitor.page
    page.locator("#chat-double input").check()
    page.locator("#voice-2 button").first.wait_for()
    for side in (1, 2):
        visitor.settled()  # a click on what is being laid out anew is lost
        page.locator(f"#voice-{side} button").first.click()
        page.locator(f"#temperature-{side} input[type=number]").wait_for()
    page.locator("#version-2 input").click()
    page.get_by_role("option", name="2", exact=True).click()
    expect(page.locator("#temperature-2")).to_contain_text("calibrated:")
    visitor.settled()
    page.locator("#temperature-1 input[type=number]").fill("0")
    page.locator("#temperature-1 input[type=number]").press("Tab")
    page.fill("#chat-text textarea", "my bike has a flat tyre again")
    visitor.settled()
    page.click("#chat-send")
    expect(page.locator("#log-1 .bot.message")).to_have_count(1, timeout=20_000)
    expect(page.locator("#log-2 .bot.message")).to_have_count(1, timeout=20_000)
    page.click("#chat-new")
    expect(page.locator(".message")).to_have_count(0)


def test_everybody_talks(visitor: Visit) -> None:
    """A group conversation of so many turns."""
    visitor.page.locator("#everybody button").first.click()
    visitor.page.locator("#everybody input[type=number]").fill("4")
    visitor.page.locator("#everybody input[type=number]").press("Tab")
    visitor.settled()
    visitor.page.click("#everybody-begin")
    expect(visitor.page.locator("#everybody-talk .turn")).to_have_count(4, timeout=PATIENCE)
    names = visitor.page.locator("#everybody-talk .turn b").all_inner_texts()
    assert set(names) <= {"Mara Voss", *PEOPLE.values()}


def test_a_tweet_is_chosen_and_lies_in_the_outbox(visitor: Visit, lived_in: Home) -> None:
    """Under the account that speaks there, for the daemon to send."""
    page = visitor.page
    visitor.tab("Timeline")
    cards = page.locator("#tweets label")
    expect(cards.nth(3)).to_be_visible(timeout=PATIENCE)  # of eight: so small a voice repeats itself
    visitor.settled()
    first = cards.first.inner_text().strip()
    visitor.settled()
    page.click("#tweets-send")
    page.get_by_text("Choose a tweet first.").wait_for()
    cards.first.click()
    visitor.settled()
    page.click("#tweets-send")
    page.get_by_text("It lies in the outbox").wait_for()
    ((account, channel, said, state),) = rows(lived_in, "select account, channel, said, state from outbox")
    assert (account, channel, state) == ("discord:1", "discord:7", "ready")
    assert "\n".join(json.loads(str(said))) == first
    assert page.locator("#schedule tbody tr").count() >= 7
    visitor.settled()
    page.click("#tweets-reroll")
    expect(cards.first).not_to_have_text(first)


def test_an_adapter_is_made_current_and_taken_back(visitor: Visit, lived_in: Home) -> None:
    """While both stand side by side in a table."""
    page = visitor.page
    visitor.tab("Train")
    expect(page.locator("#adapters tbody tr")).to_have_count(2)
    page.locator("#adapters-version input").click()
    page.get_by_role("option", name="2", exact=True).click()
    visitor.settled()
    page.click("#adapters-take")
    expect(page.locator("#adapters tbody tr").first).to_contain_text("2, current")
    visitor.settled()
    page.click("#adapters-back")
    expect(page.locator("#adapters tbody tr").last).to_contain_text("1, current")
    current = next((lived_in.folder / "adapters").iterdir()) / "current"
    assert current.readlink() == Path("1")


def test_a_look_at_exports_shows_who_speaks_and_changes_nothing(visitor: Visit, lived_in: Home) -> None:
    """Whoever the settings know is ticked already."""
    page, before = visitor.page, lived_in.config.read_bytes()
    visitor.tab("Train")
    expect(page.locator("#train-folders textarea")).to_have_value("exports")
    page.click("#train-look")
    expect(page.locator("#train-found tbody tr").last).to_contain_text("all", timeout=PATIENCE)
    ticked = page.locator("#train-persona label").filter(has=page.locator("input:checked"))
    expect(ticked).to_have_count(1)
    expect(ticked).to_contain_text("Mara Voss (")
    expect(page.locator("#train-agreed input:checked")).to_have_count(len(PEOPLE))
    assert lived_in.config.read_bytes() == before


def test_whatever_is_said_is_shown_to_the_letter(visitor: Visit) -> None:
    """A name or a message that is HTML is text; and the server fetches nothing for whoever asks."""
    page = visitor.page
    hostile = "<img src=x onerror='document.title = 1'> {{value}} ${1+1}"
    page.fill("#chat-name input, #chat-name textarea", f"Eve {hostile}")
    visitor.say(hostile)
    expect(page.locator(".user.message")).to_contain_text(hostile)
    visitor.tab("Train")
    page.fill("#train-folders textarea", f"/nowhere/{hostile}")
    page.click("#train-look")
    expect(page.get_by_test_id("toast-text").first).to_contain_text(hostile, timeout=PATIENCE)
    assert page.locator("[onerror], img[src=x]").count() == 0
    assert page.request.get(f"{page.url}gradio_api/file=https://elsewhere.example/x.png").status == 404


def test_a_page_bears_the_name_that_the_settings_have_now(chromium: Browser, address: str, lived_in: Home) -> None:
    """Whoever chooses another persona and looks again sees it, to the letter."""
    before = lived_in.config.read_text(encoding="utf-8")
    lived_in.settings(before.replace("Mara Voss", "Mara <b>Voss</b>"))
    with visit(chromium, address) as found:
        expect(found.page.locator("#title h1")).to_have_text("Mara <b>Voss</b>")
        assert found.complaints == []
    lived_in.settings(before)


def test_the_report_stands_in_a_frame(visitor: Visit) -> None:
    """Where nothing of it runs."""
    visitor.tab("Report")
    frame = visitor.page.frame_locator("#report-page iframe")
    expect(frame.get_by_text("How alike it is")).to_be_visible(timeout=10_000)
    assert visitor.page.locator("#report-page iframe").get_attribute("sandbox") == ""


def test_the_game_is_played_to_its_end_and_counted(visitor: Visit) -> None:
    """Always the left one: half of the rounds."""
    page = visitor.page
    visitor.tab("Game")
    page.click("#game-begin")
    expect(page.locator("#game-told h3")).to_contain_text("1 of", timeout=PATIENCE)
    rounds = int(page.locator("#game-told h3").inner_text().split(" of ")[1])
    for number in range(1, rounds + 1):
        expect(page.locator("#game-told h3")).to_have_text(f"{number} of {rounds}")
        visitor.settled()
        page.click("#game-1")
    expect(page.locator("#game-told h3")).to_contain_text("You found the real one in")
    expect(page.locator("#game-told")).to_contain_text(f"of {rounds} rounds", timeout=PATIENCE)


def test_on_a_phone_nothing_sticks_out(chromium: Browser, address: str) -> None:
    """390 pixels, in every tab."""
    with visit(chromium, address, PHONE) as found:
        for tab in ("Chat", "Timeline", "Train", "Report", "Game"):
            found.tab(tab)
            found.page.wait_for_timeout(200)
            assert found.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], tab
        assert found.complaints == []


def test_it_stops_while_pages_are_open(trained: Home, chromium: Browser, capfd: pytest.CaptureFixture[str]) -> None:
    """At once, and without a word on the terminal."""
    page = chromium.new_page()
    with served(trained.config) as address:
        page.goto(address)
        page.wait_for_selector("#chat-text textarea")
    page.close()
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_a_persona_is_trained_through_the_page(chromium: Browser, sample_exports: Path, tmp_path: Path) -> None:
    """From a folder of exports to an answer: look, choose, read, plan, train with the loss to be seen, talk."""
    home = Home(tmp_path).settings(
        '[persona]\nname = "somebody else"\n[base]\nminutes = 1\n[train]\nepochs = 1\nrank = 8\n'
    )
    with served(home.config) as address, visit(chromium, address, DESK) as found:
        page = found.page
        expect(page.get_by_text("Nothing is trained yet.")).to_be_visible()
        found.tab("Train")
        page.fill("#train-folders textarea", str(sample_exports))
        page.click("#train-look")
        expect(page.locator("#train-found tbody tr").last).to_contain_text("all", timeout=PATIENCE)
        for name in ("Mara Voss", "maravoss"):
            if (box := page.locator("#train-persona label").filter(has_text=f"{name} (")).count():
                box.first.click()
        page.locator("#train-agreed label").filter(has_text="Jonas").first.click()
        page.click("#train-read")
        expect(page.locator("#train-corpus")).to_contain_text("Mara Voss: ", timeout=PATIENCE)
        page.click("#train-plan")
        expect(page.locator("#train-status")).to_contain_text("at most", timeout=90_000)
        page.click("#train-start")
        expect(page.locator("#train-loss svg, #train-loss canvas").first).to_be_visible(timeout=120_000)
        expect(page.locator("#train-status")).to_contain_text("Sealed", timeout=400_000)
        expect(page.locator("#adapters tbody tr")).to_have_count(1)
        found.tab("Chat")
        found.say("are you there?")
        assert found.abroad == []
        assert found.complaints == []
