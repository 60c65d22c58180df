"""What `stats` prints and writes: a table for people, JSON for programs, the page."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from persona.config import Settings
from trainer.corpus.stats import UNDATED, Voice
from trainer.corpus.stats_page import delay_text, stats_page
from trainer.safe_text import printed

MOST_YEARS = 8  # columns of the table; the page and --json have all
MOST_ROWS = 20


def show_stats(voices: Sequence[Voice], page: Path, zone: str, as_json: bool) -> None:
    """A row for each speaker, and where the page lies."""
    if as_json:
        speakers = [asdict(one) for one in voices]
        typer.echo(json.dumps({"speakers": speakers, "timezone": zone, "page": str(page)}, ensure_ascii=False))
        return
    console = Console()
    console.print(_habits(voices[:MOST_ROWS]), "", _years(voices[:MOST_ROWS]))
    if len(voices) > MOST_ROWS:
        console.print(f"and {len(voices) - MOST_ROWS:,} more")
    console.print(
        f"length: mean words; delay: median until they answer; busiest: hour of the day in {zone}\n{page} has the plots",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def _habits(voices: Sequence[Voice]) -> Table:
    table = Table("speaker", "messages", "length", "delay", "busiest", "emoji", box=None, pad_edge=False)
    for one in voices:
        table.add_row(
            printed(one.name),
            f"{one.messages:,}",
            f"{one.units:.1f}",
            delay_text(one.delay),
            f"{one.hours.index(max(one.hours)):02} h" if any(one.hours) else "",
            " ".join(one.emoji),
        )
    return table


def _years(voices: Sequence[Voice]) -> Table:
    years = sorted({year for one in voices for year in one.years if year != UNDATED})[-MOST_YEARS:]
    table = Table("messages in", *map(str, years), box=None, pad_edge=False)
    for one in voices:
        table.add_row(printed(one.name), *(f"{one.years.get(year, 0):,}" for year in years))
    return table


def write_page(settings: Settings, voices: Sequence[Voice], path: Path) -> Path:
    """Write the page, whole or not at all, for this user's eyes only."""
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(stats_page(settings.persona.name, voices, settings.tweets.timezone), encoding="utf-8")
    return fresh.replace(path)
