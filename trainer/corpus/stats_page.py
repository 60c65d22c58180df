"""The figures of a corpus as one HTML page: plots in inline SVG, light and dark, nothing fetched from anywhere."""

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

from persona.atomic import write_whole
from trainer.corpus.stats import DELAYS, LENGTHS, UNDATED, Voice

MOST_SPEAKERS = 12  # in plots; the table names all
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 220, 46, 26
# Okabe and Ito's palette for all kinds of sight, then tints of it; each is told from both backgrounds.
_COLOURS = tuple(
    "#0072b2 #e69f00 #009e73 #d55e00 #cc79a7 #56b4e9 #8c6bb1 #999933 #b2182b #44aa99 #a6761d #7f7f7f".split()
)
_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --dim: #6b6b70; --paper: #fff; --rule: #e3e3e8; --card: #f7f7f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --dim: #9a9aa2; --paper: #151517; --rule: #35353b; --card: #1e1e21 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 780px;
  padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem } p { color: var(--dim); margin: .2rem 0 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums } div.wide { overflow-x: auto }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--rule); white-space: nowrap }
th:first-child, td:first-child { text-align: left } th { color: var(--dim); font-weight: 500 }
svg { width: 100%; height: auto; background: var(--card); border-radius: 8px } svg text { fill: var(--dim); font-size: 11px }
svg line { stroke: var(--rule) }
ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .5rem 0 }
i { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin-right: .4em }
"""


def stats_page(persona: str, voices: Sequence[Voice], zone: str) -> str:
    """The page. persona: who it is about. zone: the time zone of the hours."""
    shown = voices[:MOST_SPEAKERS]
    years = sorted({year for one in voices for year in one.years})
    total = sum(one.messages for one in voices)
    parts = [
        f"<h1>{escape(persona)}</h1>",
        f"<p>{total:,} messages by {len(voices):,} speakers. Made by <code>python -m trainer stats</code>; it holds "
        "no message.</p>",
        _table(voices),
        _legend(shown),
        "<h2>Messages by year</h2>",
        _bars([_year(year) for year in years], [[one.years.get(year, 0) for year in years] for one in shown]),
        f"<h2>Hours of the day ({escape(zone)})</h2><p>Share of each speaker's messages.</p>",
        _lines([f"{hour:02}" for hour in range(24)], [_shares(one.hours) for one in shown]),
        "<h2>Lengths</h2><p>Words, or characters of scripts without blanks; share of each speaker's messages.</p>",
        _lines(_length_names(), [_shares(one.lengths) for one in shown]),
        "<h2>Reply delays</h2><p>After somebody else's message in the same conversation; share of each speaker's "
        "answers.</p>",
        _lines(_delay_names(), [_shares(one.delays) for one in shown]),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(persona)}: stats</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def write_page(path: Path, persona: str, voices: Sequence[Voice], zone: str) -> Path:
    """Write the page, whole or not at all, for this user's eyes only; returns its path."""
    write_whole(path, [stats_page(persona, voices, zone)])
    return path


def delay_text(seconds: float | None) -> str:
    """A delay as people say it."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h".replace(".0", "")


def _table(voices: Sequence[Voice]) -> str:
    head = "<tr><th>speaker<th>messages<th>private<th>mean length<th>median delay<th>top emoji</tr>"
    rows = (
        f"<tr><td>{escape(one.name)}<td>{one.messages:,}<td>{one.private:,}<td>{one.units:.1f}<td>{delay_text(one.delay)}"
        f"<td>{escape(' '.join(one.emoji))}</tr>"
        for one in voices
    )
    return f'<h2>Speakers</h2><div class="wide"><table>{head}{"".join(rows)}</table></div>'


def _legend(voices: Sequence[Voice]) -> str:
    items = (
        f'<li><i style="background:{colour}"></i>{escape(one.name)}</li>'
        for one, colour in zip(voices, _COLOURS, strict=False)
    )
    return f"<ul>{''.join(items)}</ul>"


def _bars(labels: Sequence[str], series: Sequence[Sequence[float]]) -> str:
    """Stacked bars: one for each label, a piece for each series."""
    top = max((sum(column) for column in zip(*series, strict=True)), default=0) or 1
    step = (_WIDTH - _LEFT) / max(1, len(labels))
    wide = min(step * 0.7, 60)
    marks: list[str] = []
    for place, column in enumerate(zip(*series, strict=True)):
        x, y = _LEFT + step * (place + 0.5) - wide / 2, float(_HEIGHT - _BOTTOM)
        for value, colour in zip(column, _COLOURS, strict=False):
            tall = value / top * (_HEIGHT - _BOTTOM - 14)
            y -= tall
            marks.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{colour}">'
                f"<title>{escape(labels[place])}: {value:,}</title></rect>"
            )
    return _plot(labels, top, lambda value: f"{value:,.0f}", marks)


def _lines(labels: Sequence[str], series: Sequence[Sequence[float]]) -> str:
    """A line with dots for each series."""
    top = max((max(values, default=0) for values in series), default=0) or 1
    step = (_WIDTH - _LEFT) / len(labels)
    marks: list[str] = []
    for values, colour in zip(series, _COLOURS, strict=False):
        points = [
            (_LEFT + step * (place + 0.5), _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - 14))
            for place, value in enumerate(values)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        marks += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points]
    return _plot(labels, top, lambda value: f"{value:.0%}", marks)


def _plot(labels: Sequence[str], top: float, shown: Callable[[float], str], marks: Sequence[str]) -> str:
    """The frame of a plot: three rules with their values, a label under each place, then the marks."""
    floor, step = _HEIGHT - _BOTTOM, (_WIDTH - _LEFT) / max(1, len(labels))
    rules = "".join(
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/><text x="{_LEFT - 6}" y="{y + 4:.1f}" '
        f'text-anchor="end">{shown(top * share)}</text>'
        for share in (0, 0.5, 1)
        for y in (floor - share * (floor - 14),)
    )
    every = 1 + len(labels) // 26
    names = "".join(
        f'<text x="{_LEFT + step * (place + 0.5):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{rules}{names}{"".join(marks)}</svg>'


def _shares(counts: Sequence[int]) -> list[float]:
    return [count / (sum(counts) or 1) for count in counts]


def _year(year: int) -> str:
    return "undated" if year == UNDATED else str(year)


def _length_names() -> list[str]:
    ends = [f"{start}-{stop - 1}" if stop - start > 1 else str(start) for start, stop in pairwise(LENGTHS)]
    return [*ends, f"{LENGTHS[-1]}+"]


def _delay_names() -> list[str]:
    ends = [delay_text(seconds) for seconds in DELAYS]
    return [*(f"< {end}" for end in ends), f"{ends[-1]} +"]
