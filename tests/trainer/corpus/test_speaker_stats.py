"""The figures of a corpus, counted by hand, and the page they stand on."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.conftest import run_here
from tests.trainer.ingest.test_postprocess import imported, settings_of, telegram
from trainer.__main__ import app
from trainer.corpus.speaker_stats import LENGTHS, speaker_stats
from trainer.corpus.stats_page import delay_text, stats_page

TALK = [
    ("Mara Voss", "早安 😂😂"),
    ("<Bob & Co>", "one two three four five"),
    ("Mara Voss", "👍🏽 ok"),
    ("Mara Voss", "https://example.org/a and more"),
]


def test_the_figures_are_those_of_the_messages(tmp_path: Path) -> None:
    """Units, bins, hours of the zone, the wait after somebody else; links and media are no words."""
    settings = settings_of(tmp_path, "pseudonyms = false\n")
    corpus = imported(settings, telegram(tmp_path, TALK)).corpus
    mara, bob = speaker_stats(corpus, ZoneInfo("Europe/Amsterdam"))
    assert (mara.name, mara.messages, mara.years) == ("Mara Voss", 3, {2020: 3})
    assert mara.units == (2 + 1 + 2) / 3
    assert dict(zip(LENGTHS, mara.lengths, strict=True)) == {1: 1, 2: 2, 4: 0, 8: 0, 16: 0, 32: 0, 64: 0}
    assert mara.hours[14] == 3  # 12:26 UTC
    assert (mara.delay, bob.delay, mara.delays[3]) == (60, 60, 1)
    assert mara.emoji == {"😂": 2, "👍🏽": 1}


def test_delays_are_said_as_people_say_them() -> None:
    """Seconds, minutes, hours."""
    assert [delay_text(one) for one in (None, 12, 300, 3600, 9000)] == ["", "12 s", "5 min", "1 h", "2.5 h"]


class _Page(HTMLParser):
    """Tags that were opened and not closed, and every address in them."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        assert tag not in ("script", "link", "img", "iframe")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_holds_no_message(tmp_path: Path) -> None:
    """No address in it; names are escaped; each plot is there."""
    settings = settings_of(tmp_path, "pseudonyms = false\n")
    corpus = imported(settings, telegram(tmp_path, TALK)).corpus
    html = stats_page("Mara Voss", speaker_stats(corpus, ZoneInfo("UTC")), "UTC")
    page = _Page()
    page.feed(html)
    assert page.addresses == []
    assert "url(" not in html
    assert "<Bob & Co>" in page.text
    assert html.count('<svg class="wide"') == html.count('<svg class="narrow"') == 4
    assert "five" not in page.text
    assert not re.search(r"https?://", html)


def test_the_command_shows_a_table_and_writes_the_page(tmp_path: Path) -> None:
    """--json has all figures; the page is for its owner's eyes."""
    settings = settings_of(tmp_path)
    imported(settings, telegram(tmp_path, TALK))
    done = run_here(app, "python -m trainer", "stats", "--json", "--config", str(settings.path))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["messages"] for one in found["speakers"]] == [3, 1]
    page = Path(found["page"])
    assert page == settings.corpus / "stats.html"
    assert page.stat().st_mode & 0o077 == 0
    shown = run_here(
        app, "python -m trainer", "stats", "--config", str(settings.path), "--html", str(tmp_path / "page.html")
    )
    assert "Mara Voss" in shown.stdout
    assert (tmp_path / "page.html").is_file()
