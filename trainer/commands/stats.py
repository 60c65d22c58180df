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
    from trainer.corpus.speaker_stats import left_out, speaker_stats
    from trainer.corpus.stand_ins import stand_in_lines, stand_ins_of
    from trainer.corpus.stats_page import write_page
    from trainer.corpus.store import PAGE
    from trainer.corpus.store import load as load_corpus
    from trainer.people.erasure_list import load_erasure_list

    settings = load(config)
    zone = settings.tweets.timezone
    corpus = load_corpus(settings)
    speakers = speaker_stats(corpus, ZoneInfo(zone), settings.data.max_gap_minutes * 60)
    omissions = left_out(settings, speakers, len(load_erasure_list(settings).receipts))
    stand_ins = stand_ins_of(corpus)
    page = write_page(html or settings.corpus / PAGE, settings.persona.name, speakers, zone)
    if as_json:
        rows = [asdict(speaker) for speaker in speakers]
        print_json({"speakers": rows, "timezone": zone, "page": page, "left_out": omissions})
    else:
        _show(speakers, page, zone)
        for line in (*stand_in_lines(stand_ins), *omissions):
            say(line)


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
