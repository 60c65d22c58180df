"""`stats`: who writes how much, when and how; a table for people, JSON for programs, an HTML page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, print_table, say

if TYPE_CHECKING:
    from trainer.corpus.speaker_stats import SpeakerStats

MOST_YEARS = 8  # columns of the table; the page and --json have all
MOST_ROWS = 20


def stats(
    html: Annotated[
        Path | None, typer.Option("--html", help="Where the page goes; default: stats.html in the corpus.")
    ] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Who writes how much, when, how long, with which emoji; a table and an HTML page. Example: python -m trainer stats"""
    from dataclasses import asdict
    from zoneinfo import ZoneInfo

    from persona.config import load
    from trainer.corpus.speaker_stats import speaker_stats
    from trainer.corpus.stats_page import write_page
    from trainer.corpus.store import PAGE
    from trainer.corpus.store import load as load_corpus

    settings = load(config)
    zone = settings.tweets.timezone
    speakers = speaker_stats(load_corpus(settings), ZoneInfo(zone), settings.data.max_gap_minutes * 60)
    page = write_page(html or settings.corpus / PAGE, settings.persona.name, speakers, zone)
    if as_json:
        print_json({"speakers": [asdict(speaker) for speaker in speakers], "timezone": zone, "page": page})
    else:
        _show(speakers, page, zone)


def _show(speakers: Sequence["SpeakerStats"], page: Path, zone: str) -> None:
    listed = speakers[:MOST_ROWS]
    columns = ("speaker", "messages", "length", "delay", "busiest", "emoji")
    print_table(columns, map(_habits, listed), bold=False)
    say("")
    _show_years(listed)
    if len(speakers) > MOST_ROWS:
        say(f"and {len(speakers) - MOST_ROWS:,} more")
    say(f"length: mean words; delay: median until they answer; busiest: hour of the day in {zone}")
    say(f"{page} has the plots")


def _habits(speaker: "SpeakerStats") -> tuple[str, ...]:
    from trainer.corpus.stats_page import delay_text

    busiest = f"{speaker.hours.index(max(speaker.hours)):02} h" if any(speaker.hours) else ""
    counts = (f"{speaker.messages:,}", f"{speaker.units:.1f}", delay_text(speaker.delay))
    return speaker.name, *counts, busiest, " ".join(speaker.emoji)


def _show_years(speakers: Sequence["SpeakerStats"]) -> None:
    from trainer.corpus.speaker_stats import UNDATED

    years = sorted({year for speaker in speakers for year in speaker.years if year != UNDATED})[-MOST_YEARS:]
    rows = ((speaker.name, *(f"{speaker.years.get(year, 0):,}" for year in years)) for speaker in speakers)
    print_table(("messages in", *map(str, years)), rows, bold=False)
