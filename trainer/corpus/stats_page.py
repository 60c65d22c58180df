"""The figures of a corpus as one HTML page: plots in inline SVG, light and dark, nothing fetched from anywhere."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from persona.atomic import write_whole
from persona.names import normalise
from trainer.corpus.speaker_stats import DELAYS, LENGTHS, UNDATED, SpeakerStats
from trainer.pages import charts
from trainer.pages.render import render

MOST_SPEAKERS = charts.OTHERS  # in plots; the table names all


class Plot(NamedTuple):
    """A chart under its heading."""

    title: str
    means: str
    chart: Markup


def stats_page(persona: str, speakers: Sequence[SpeakerStats], zone: str) -> str:
    """Return the page. persona: who it is about. zone: the time zone of the hours."""
    drawn = speakers[:MOST_SPEAKERS]
    person = next((number for number, speaker in enumerate(drawn) if speaker.key == normalise(persona)), None)
    colours = charts.colours(len(drawn), person)
    return render(
        "stats.html.j2",
        persona=persona,
        total=f"{sum(speaker.messages for speaker in speakers):,}",
        count=f"{len(speakers):,}",
        rows=map(_row, speakers),
        plots=_plots(dict(zip(colours, drawn, strict=True)), zone),
        legend=charts.legend((speaker.name, colour) for speaker, colour in zip(drawn, colours, strict=True)),
    )


def write_page(path: Path, persona: str, speakers: Sequence[SpeakerStats], zone: str) -> Path:
    """Write the page, whole or not at all, for this user's eyes only; returns its path."""
    write_whole(path, [stats_page(persona, speakers, zone)])
    return path


def delay_text(seconds: float | None) -> str:
    """Return a delay as people say it."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h".replace(".0", "")


def _row(speaker: SpeakerStats) -> tuple[str, ...]:
    counts = (f"{speaker.messages:,}", f"{speaker.private:,}", f"{speaker.units:.1f}", delay_text(speaker.delay))
    return speaker.name, *counts, " ".join(speaker.emoji)


def _plots(speakers: Mapping[str, SpeakerStats], zone: str) -> list[Plot]:
    """Return the plots of these speakers. speakers: by colour."""
    years = sorted({year for speaker in speakers.values() for year in speaker.years})
    by_year = {colour: [speaker.years.get(year, 0) for year in years] for colour, speaker in speakers.items()}
    share = "share of each speaker's"

    def plot(title: str, means: str, labels: Sequence[str], bins: Callable[[SpeakerStats], Sequence[int]]) -> Plot:
        return Plot(
            title, means, charts.lines(title, labels, {colour: bins(speaker) for colour, speaker in speakers.items()})
        )

    by_year_title = "Messages by year"
    return [
        Plot(by_year_title, "", charts.stacked_bars(by_year_title, [_year(year) for year in years], by_year)),
        plot(
            f"Hours of the day ({zone})",
            f"{share.capitalize()} messages.",
            [f"{hour:02}" for hour in range(24)],
            lambda speaker: speaker.hours,
        ),
        plot(
            "Lengths",
            f"Words, or characters of scripts without blanks; {share} messages.",
            _length_names(),
            lambda speaker: speaker.lengths,
        ),
        plot(
            "Reply delays",
            f"After somebody else's message in the same conversation; {share} answers.",
            _delay_names(),
            lambda speaker: speaker.delays,
        ),
    ]


def _year(year: int) -> str:
    return "undated" if year == UNDATED else str(year)


def _length_names() -> list[str]:
    bins = [f"{start}-{stop - 1}" if stop - start > 1 else str(start) for start, stop in pairwise(LENGTHS)]
    return [*bins, f"{LENGTHS[-1]}+"]


def _delay_names() -> list[str]:
    ends = [delay_text(seconds) for seconds in DELAYS]
    return [*(f"< {end}" for end in ends), f"{ends[-1]} +"]
