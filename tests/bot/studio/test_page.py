"""The studio's page, as somebody uses it in a browser."""

import asyncio
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.store import BotStore
from bot.studio.chat_tab import NOTHING_TO_CORRECT
from bot.studio.running import Run
from bot.studio.studio import Studio
from bot.studio.training_part import COLOURS, STOPPED
from persona.bundle import SEAL, draft, publish, read_seal
from persona.config import load
from tests.bot.studio.browsing import Visit, connections, served, visit
from tests.browser import DESK, PHONE, browser, needs_chromium, overflow, violations
from tests.conftest import PEOPLE, Home

pytestmark = needs_chromium

TABS = ("Set up", "Chat", "Timeline", "Report", "Game")
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
    with connections() as abroad, served(lived_in.config) as url:
        yield url
        assert abroad == []


@pytest.fixture(scope="module")
def chromium(address: str) -> Iterator[Browser]:
    """After the home and its server: Playwright keeps a loop running in this thread."""
    with browser() as started:
        yield started


@pytest.fixture
def visitor(chromium: Browser, address: str) -> Iterator[Visit]:
    """Somebody at a desk. Whatever they do, nothing is asked of another machine, and the console stays silent."""
    with visit(chromium, address) as opened:
        yield opened
        assert opened.abroad == []
        assert opened.complaints == []


def rows(home: Home, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(home.folder / "alterego.db") as store:
        return store.execute(query).fetchall()


def test_it_is_painted_before_anybody_waits(visitor: Visit) -> None:
    """How soon is printed, and stands in docs/studio.md; a busy machine may take longer."""
    paints = visitor.page.evaluate("performance.getEntriesByType('paint').map(paint => [paint.name, paint.startTime])")
    print(paints)
    assert {name for name, _ in paints} == {"first-paint", "first-contentful-paint"}


def test_an_answer_waits_for_the_hanging_up_before_it(visitor: Visit) -> None:
    """A tenth of a second: Gradio's page would lose what it has just asked for."""
    visitor.page.route("**/queue/join*", lambda route: route.fulfill(json={"event_id": "none"}))
    waited = visitor.page.evaluate(
        "async () => { const at = performance.now(); await fetch('/gradio_api/queue/join'); return performance.now() - at; }"
    )
    assert waited >= 95


def test_it_answers_says_it_again_and_keeps_what_is_thought_of_it(visitor: Visit, lived_in: Home) -> None:
    """With the whole talk and the answer that was rated."""
    page = visitor.page
    visitor.say("hey, are you open today?")
    assert visitor.answers >= 1
    expect(page.locator("#beside-1")).to_contain_text("you: hey, are you open today?")
    visitor.again()
    expect(page.locator(".bot.message").first).to_be_visible()
    answer = "\n".join(text.strip() for text in page.locator(".bot.message").all_inner_texts())
    page.get_by_label("Like", exact=True).last.click()
    page.get_by_text("Kept as feedback.").wait_for()
    ((score, prompt, completion),) = rows(lived_in, "select score, prompt, completion from feedback")
    assert score == 1
    assert "YOU:\nhey, are you open today?" in str(prompt)
    assert completion == answer


def test_a_correction_is_typed_and_kept(visitor: Visit, lived_in: Home) -> None:
    """With what the persona said and the talk before it; a second one replaces the first. Before any answer there is nothing
    to correct."""
    visitor.type("/notme I'd say hm")
    visitor.page.get_by_text(NOTHING_TO_CORRECT).wait_for()
    visitor.say("is the canal still there?")
    bubbles = visitor.page.locator(".bot.message")
    said = " ".join(" ".join(bubbles.all_inner_texts()).split())  # a page shows two blanks as one
    for words in ("the heron knows", "ask the heron"):
        visitor.type(f"/notme I'd say {words}")
        expect(bubbles).to_have_text([words], timeout=20_000)
        visitor.settled()
    ((account, prompt, wrong, right),) = rows(lived_in, "select account, prompt, wrong, right from corrections")
    assert (account, " ".join(str(wrong).split()), right) == ("studio:page", said, "ask the heron")
    assert "YOU:\nis the canal still there?" in str(prompt)


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
    expect(page.locator(".bot.message").first).to_be_visible()


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
    expect(page.locator("#log-1 .bot.message").first).to_be_visible(timeout=20_000)
    expect(page.locator("#log-2 .bot.message").first).to_be_visible(timeout=20_000)
    page.click("#chat-new")
    expect(page.locator(".message")).to_have_count(0)


def test_everybody_talks(visitor: Visit) -> None:
    """A group conversation of so many turns."""
    visitor.page.locator("#everybody button").first.click()
    visitor.settled()  # what is unfolded is drawn anew
    turns = visitor.page.locator("#everybody input[type=number]")
    turns.fill("4")
    turns.press("Tab")
    visitor.settled()
    expect(turns).to_have_value("4")
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
    expect(page.locator("#tweets-send")).to_be_disabled()
    cards.first.click()
    expect(page.locator("#tweets-send")).to_be_enabled()
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
    visitor.tab("Set up")
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
    visitor.tab("Set up")
    expect(page.locator("#train-folders textarea")).to_have_value("exports")
    page.click("#train-look")
    expect(page.locator("#train-found tbody tr").last).to_contain_text("Telegram JSON", timeout=PATIENCE)
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
    visitor.tab("Set up")
    page.fill("#train-folders textarea", f"/nowhere/{hostile}")
    page.click("#train-look")
    expect(page.get_by_test_id("toast-text").first).to_contain_text(hostile, timeout=PATIENCE)
    assert page.locator("[onerror], img[src=x]").count() == 0
    assert page.request.get(f"{page.url}gradio_api/file=https://elsewhere.example/x.png").status == 404


def test_a_page_bears_the_name_that_the_settings_have_now(chromium: Browser, address: str, lived_in: Home) -> None:
    """Whoever chooses another persona and looks again sees it, to the letter."""
    before = lived_in.config.read_text(encoding="utf-8")
    lived_in.settings(before.replace("Mara Voss", "Mara <b>Voss</b>"))
    with visit(chromium, address) as opened:
        expect(opened.page.locator("#title h1")).to_have_text("Mara <b>Voss</b>")
        assert opened.complaints == []
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
    expect(page.locator("#game-told h2")).to_contain_text("1 of", timeout=PATIENCE)
    rounds = int(page.locator("#game-told h2").inner_text().split(" of ")[1])
    for number in range(1, rounds + 1):
        expect(page.locator("#game-told h2")).to_have_text(f"{number} of {rounds}")
        visitor.settled()
        page.click("#game-1")
    expect(page.locator("#game-told h2")).to_contain_text("You found the real one in")
    expect(page.locator("#game-told")).to_contain_text(f"of {rounds} rounds", timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everybody_can_use_it(chromium: Browser, address: str, size: dict[str, int], scheme: str) -> None:
    """axe-core has no objection to any tab, and nothing sticks out."""
    with visit(chromium, address, size, scheme) as opened:
        opened.say("hey")
        for tab in TABS:
            opened.tab(tab)
            if tab == "Timeline":
                expect(opened.page.locator("#tweets label").first).to_be_visible(timeout=PATIENCE)
                opened.settled()
            opened.page.wait_for_timeout(300)  # colours fade in
            assert violations(opened.page) == [], tab
            assert overflow(opened.page) <= 0, tab
        assert opened.complaints == []


def test_what_is_held_back_says_nothing_until_it_is_let(chromium: Browser, lived_in: Home, tmp_path: Path) -> None:
    """One rule for the button and for every tab that needs a voice: why it is silent, and what lets it speak."""
    shutil.copytree(lived_in.folder, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home")
    versions = next((home.folder / "adapters").iterdir())
    (versions / "current").unlink()
    with draft(versions) as folder:
        shutil.copytree(versions / "1", folder, dirs_exist_ok=True)
        (folder / SEAL).unlink()
        gate = {"passed": False, "reasons": ["gibberish: letters in a row"]}
        publish(folder, read_seal(versions / "1").model_copy(update={"metrics": {"gate": gate}}))
    with served(home.config) as address, visit(chromium, address) as opened:
        page = opened.page
        expect(page.locator("#step-4")).to_contain_text(
            "Version 3 is held back: gibberish: letters in a row.", timeout=PATIENCE
        )
        expect(page.locator("#setup-chat")).to_be_disabled()
        for tab in ("Chat", "Timeline", "Game"):
            opened.tab(tab)
            expect(page.get_by_text("Version 3 is held back: gibberish").locator("visible=true")).to_have_count(
                1, timeout=PATIENCE
            )
            expect(page.locator("#chat-text:visible, #tweets:visible, #game-begin:visible")).to_have_count(0)
        page.get_by_role("button", name="Set it up").locator("visible=true").click()
        opened.settled()
        page.click("#adapters-take")
        expect(page.locator("#step-4 h2.done")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#setup-chat")).to_be_enabled(timeout=PATIENCE)
        opened.settled()
        page.click("#setup-chat")
        opened.settled()
        opened.say("hey")
        assert opened.complaints == []


SLOW_TO_STOP = """
import json, pathlib, signal, sys, time
def wait_for(name):
    while not pathlib.Path(sys.argv[1], name).exists():
        time.sleep(0.02)
def stopping(*_):
    wait_for("clean")
    print("alterego: interrupted; nothing was left half-written", file=sys.stderr)
    sys.exit(130)
def tell(**what):
    print(json.dumps({"task": "adapter", **what}), file=sys.stderr, flush=True)
signal.signal(signal.SIGINT, stopping)
for step in (1, 2, 3, 4):
    tell(step=step, loss=3 - step / 2)
tell(done=0.13)
wait_for("measured")
for step in (2, 4):
    tell(step=step, eval_bits_per_character=1.5)
signal.pause()
"""
HELD_OUT = f"#train-loss path[stroke='{COLOURS['held out, bits']}']"


class SlowToStop(Studio):
    """A studio whose trainer measures once a file called `measured` lies beside the settings, and cleans up until `clean`
    does."""

    async def run(self, *arguments: str) -> Run:
        """Start such a trainer, whatever it is asked."""
        pipe, words = asyncio.subprocess.PIPE, ("-c", SLOW_TO_STOP, str(self.config.parent))
        self._runs.append(
            run := Run(await asyncio.create_subprocess_exec(sys.executable, *words, stdout=pipe, stderr=pipe))
        )
        return run


def test_a_training_that_is_being_stopped_says_so(chromium: Browser, lived_in: Home) -> None:
    """Until it has cleaned up there is nothing to press; then a button goes on, not a command. Both losses are drawn, though
    the second begins later."""
    with served(lived_in.config, SlowToStop) as address, visit(chromium, address) as opened:
        page, start, stop = opened.page, opened.page.locator("#train-start"), opened.page.locator("#train-stop")
        opened.tab("Set up")
        start.click()
        expect(page.locator("#train-status")).to_contain_text("adapter: 13%", timeout=PATIENCE)
        expect(start).to_be_disabled(timeout=PATIENCE)
        expect(page.locator("#train-loss svg").first).to_be_visible(timeout=PATIENCE)
        lived_in.folder.joinpath("measured").touch()
        expect(page.locator(HELD_OUT).first).to_be_attached(timeout=PATIENCE)
        opened.settled()
        stop.click()
        expect(page.locator("#train-status")).to_contain_text("stopping …", timeout=PATIENCE)
        expect(start).to_be_disabled(timeout=PATIENCE)
        expect(stop).to_be_disabled(timeout=PATIENCE)
        lived_in.folder.joinpath("clean").touch()
        expect(page.locator("#train-status")).to_contain_text(STOPPED, timeout=PATIENCE)
        expect(start).to_be_enabled(timeout=PATIENCE)
        expect(stop).to_be_disabled(timeout=PATIENCE)
        assert opened.complaints == []


def test_it_stops_while_pages_are_open(trained: Home, chromium: Browser, capfd: pytest.CaptureFixture[str]) -> None:
    """At once, and without a word on the terminal."""
    page = chromium.new_page()
    with served(trained.config) as address:
        page.goto(address)
        page.get_by_role("tab").first.wait_for()
    page.close()
    assert capfd.readouterr().err == ""


@pytest.fixture
def nowhere(chromium: Browser, tmp_path: Path) -> Iterator[tuple[Visit, Path]]:
    """A page over a folder in which there is nothing yet."""
    with served(tmp_path / "persona.toml") as address, visit(chromium, address, PHONE) as opened:
        yield opened, tmp_path
        assert opened.abroad == []
        assert opened.complaints == []


def test_from_nothing_every_tab_says_how_to_begin(nowhere: tuple[Visit, Path]) -> None:
    """In a sentence, with a button that leads there; nothing is called wrong, and everybody can read it."""
    opened, _ = nowhere
    page = opened.page
    expect(page.get_by_role("tab", name="Set up")).to_have_attribute("aria-selected", "true")
    for tab in TABS:
        opened.tab(tab)
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.locator(".fault:visible")).to_have_count(0)
        assert violations(page) == [], tab
        assert overflow(page) <= 0, tab
        if tab != "Set up":
            expect(page.get_by_text("Nothing is trained yet").locator("visible=true")).to_have_count(1)
            page.get_by_role("button", name="Set it up").locator("visible=true").click()
            expect(page.locator("#train-look")).to_be_visible()
    for closed in ("#train-read", "#train-plan", "#train-start", "#train-stop", "#setup-chat"):
        expect(page.locator(closed)).to_be_disabled()
    start, following = page.locator("#train-start").bounding_box(), page.locator("#step-5").bounding_box()
    assert start and following
    assert following["y"] - start["y"] - start["height"] < 24  # what is empty still takes no room between two steps


def test_from_nothing_to_a_corpus(nowhere: tuple[Visit, Path], sample_exports: Path) -> None:
    """An export is dropped, another is named; who is who is ticked; settings are written, and the exports are read."""
    opened, folder = nowhere
    page = opened.page
    page.set_input_files("#train-drop input[type=file]", next(sample_exports.glob("*.zip")))
    expect(page.locator("#train-folders textarea")).to_have_value(re.compile(r"^exports/.*\.zip$"), timeout=PATIENCE)
    expect(page.locator("#train-found")).to_contain_text("X archive", timeout=PATIENCE)
    opened.settled()
    dropped = page.locator("#train-folders textarea").input_value()
    assert (folder / dropped).stat().st_mode & 0o077 == 0
    page.fill("#train-folders textarea", f"{dropped}\n{sample_exports}")
    opened.settled()
    page.click("#train-look")
    people = page.locator("#train-persona label")
    expect(people.filter(has_text="Jonas")).to_be_visible(timeout=PATIENCE)
    opened.settled()
    people.filter(has_text="Mara Voss (").first.click()
    page.locator("#train-agreed label").filter(has_text="Jonas").first.click()
    page.locator("#train-base input").fill("scratch")
    page.keyboard.press("Enter")
    opened.settled()
    page.click("#train-read")
    expect(page.locator("#train-corpus")).to_contain_text("Mara Voss: ", timeout=PATIENCE)
    expect(page.locator("#title h1")).to_have_text("Mara Voss")
    expect(page.locator("#step-2 h2.done")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#step-3 h2.done")).to_be_visible()
    expect(page.locator("#train-start")).to_be_enabled()
    settings = load(folder / "persona.toml")
    assert settings.base.model == "scratch"
    assert [person.names[0] for person in settings.people.values() if person.consent] == ["Jonas Lindqvist"]
    assert violations(page) == []


def test_a_note_goes_when_one_goes_on(nowhere: tuple[Visit, Path]) -> None:
    """What was missing is no fault, and nothing red stays where it is there."""
    opened, _ = nowhere
    page = opened.page
    page.click("#train-look")
    page.get_by_test_id("toast-text").first.wait_for()
    expect(page.get_by_test_id("toast-text").first).to_contain_text("name a folder, a zip or a file")
    assert page.locator("[data-testid=status-tracker] .error:visible").count() == 0
    page.get_by_role("tab", name="Chat").click()
    expect(page.get_by_test_id("toast-text")).to_have_count(0, timeout=5_000)


def test_a_token_is_kept_and_the_doctor_asked(visitor: Visit, lived_in: Home) -> None:
    """What is no token is refused; one that is stands in .env alone; what the doctor says stands beside its step."""
    page, before = visitor.page, lived_in.config.read_text(encoding="utf-8")
    visitor.tab("Set up")
    page.fill("#token-telegram input", "no token")
    visitor.settled()
    page.click("#keep-telegram")
    expect(page.get_by_test_id("toast-text").first).to_contain_text("no token of Telegram")
    page.fill("#token-telegram input", "123456789:" + "A" * 35)
    visitor.settled()
    page.click("#keep-telegram")
    expect(page.locator("#step-6 h2.done")).to_be_visible(timeout=PATIENCE)
    assert (lived_in.folder / ".env").stat().st_mode & 0o077 == 0
    lived_in.settings(before)
    (lived_in.folder / ".env").unlink()
    visitor.settled()
    page.click("#setup-doctor")
    expect(page.locator("#step-5")).to_contain_text("engine:", timeout=PATIENCE)
    expect(page.locator("#step-4")).to_contain_text("bundle: MARA VOSS")
    expect(page.locator("#step-6")).to_contain_text("Neither Discord nor Telegram")


@pytest.mark.slow
@pytest.mark.timeout(1200)  # it waits for a whole training
def test_a_persona_is_trained_through_the_page(nowhere: tuple[Visit, Path], sample_exports: Path) -> None:
    """From a folder of exports to an answer: look, choose, read, plan, train with the loss to be seen, talk."""
    opened, folder = nowhere
    page = opened.page
    page.fill("#train-folders textarea", str(sample_exports))
    page.click("#train-look")
    people = page.locator("#train-persona label")
    expect(people.filter(has_text="Jonas")).to_be_visible(timeout=PATIENCE)
    opened.settled()
    people.filter(has_text="Mara Voss (").first.click()
    page.locator("#train-base input").fill("scratch")
    page.keyboard.press("Enter")
    page.click("#train-read")
    expect(page.locator("#train-corpus")).to_contain_text("Mara Voss: ", timeout=PATIENCE)
    config = folder / "persona.toml"
    text = (
        config.read_text(encoding="utf-8")
        .replace('minutes = "auto"', "minutes = 1")
        .replace("epochs = 3", "epochs = 1")
    )
    config.write_text(text, encoding="utf-8")
    page.click("#train-plan")
    expect(page.locator("#train-takes")).to_contain_text("at most", timeout=90_000)
    page.click("#train-start")
    expect(page.locator("#train-loss svg, #train-loss canvas").first).to_be_visible(timeout=120_000)
    expect(page.locator("#train-status")).to_contain_text("Sealed", timeout=400_000)
    expect(page.locator("#adapters tbody tr")).to_have_count(1)
    if page.locator("#setup-chat").is_disabled():  # so small a one may be held back
        page.click("#adapters-take")
    page.click("#setup-chat")
    opened.say("are you there?")
