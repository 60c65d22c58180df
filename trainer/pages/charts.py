"""Charts as inline SVG. Series are coloured by CSS classes s0, s1, … of style.css, which follow light and dark."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 220
LEFT, TOP, BOTTOM = 46, 14, 26  # room for the values, above the highest mark, for the labels
NAMES, ROW = 170, 30  # of horizontal bars: width of their names, height of each
MOST_LABELS = 26  # below a plot; of more, some are left out
SERIES = 12  # that style.css has colours for

Series = Mapping[str, Sequence[float]]  # name -> a value for each label


class Interval(NamedTuple):
    """A value and the interval around it. text: the value as people read it."""

    value: float
    low: float
    high: float
    text: str


def stacked_bars(labels: Sequence[str], series: Series) -> Markup:
    """A bar for each label, a piece for each series."""
    columns = list(zip(*series.values(), strict=True))
    top = max(map(sum, columns), default=0) or 1
    step, width = _step(labels), min(_step(labels) * 0.7, 60)
    marks: list[str] = []
    for place, column in enumerate(columns):
        y = float(HEIGHT - BOTTOM)
        for number, value in enumerate(column):
            tall = _tall(value, top)
            y -= tall
            title = f"<title>{escape(labels[place])}: {value:,.0f}</title>"
            marks.append(_bar(number, LEFT + step * (place + 0.5) - width / 2, y, width, tall, title))
    return _plot(labels, top, "{:,.0f}".format, marks)


def grouped_bars(labels: Sequence[str], series: Series) -> Markup:
    """A group of bars for each label; each series as shares of its own sum."""
    shares = [_shares(values) for values in series.values()]
    top = max((value for values in shares for value in values), default=0) or 1
    step = _step(labels)
    width = 0.8 * step / max(1, len(shares))
    marks = [
        _bar(
            number,
            LEFT + step * (place + 0.1) + width * number,
            HEIGHT - BOTTOM - _tall(value, top),
            width,
            _tall(value, top),
        )
        for number, values in enumerate(shares)
        for place, value in enumerate(values)
    ]
    return _plot(labels, top, "{:.0%}".format, marks)


def lines(labels: Sequence[str], series: Series) -> Markup:
    """A line with dots for each series, as shares of its own sum."""
    shares = [_shares(values) for values in series.values()]
    top = max((value for values in shares for value in values), default=0) or 1
    step = _step(labels)
    marks: list[str] = []
    for number, values in enumerate(shares):
        points = [
            (LEFT + step * (place + 0.5), HEIGHT - BOTTOM - _tall(value, top)) for place, value in enumerate(values)
        ]
        marks.append(_line(number, points))
        marks += [f'<circle class="s{number % SERIES}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points]
    return _plot(labels, top, "{:.0%}".format, marks)


def interval_bars(rows: Mapping[str, Interval], low: float, high: float, marks: Mapping[str, float]) -> Markup:
    """A horizontal bar with its interval for each row, the first one in colour. marks: vertical lines by name."""
    height = ROW * len(rows) + 26

    def x(value: float) -> float:
        share = (min(max(value, low), high) - low) / max(high - low, 1e-9)
        return NAMES + share * (WIDTH - NAMES - 110)

    parts = [
        f'<line class="mark" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="4" y2="{height - 20}"/>'
        f'<text class="middle" x="{x(at):.1f}" y="{height - 6}">{escape(name)}</text>'
        for name, at in marks.items()
    ]
    for number, (name, row) in enumerate(rows.items()):
        y = ROW * number + 8
        parts.append(
            f'<text class="name" x="0" y="{y + 13}">{escape(name)}</text>'
            f'<rect class="{"rest" if number else "s0"}" x="{NAMES}" y="{y}" '
            f'width="{max(1.0, x(row.value) - NAMES):.1f}" height="18" rx="3"/>'
            f'<line class="whisker" x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" y1="{y + 9}" y2="{y + 9}"/>'
            f'<text class="name end" x="{WIDTH - 2}" y="{y + 13}">{escape(row.text)}</text>'
        )
    return _svg(height, parts)


def curves(series: Mapping[str, Sequence[tuple[float, float]]], below: str) -> Markup:
    """Lines of (x, y) points, each series on a scale of its own; the legend tells its first and last value."""
    parts = [f'<text class="middle" x="{WIDTH / 2}" y="{HEIGHT - 6}">{escape(below)}</text>']
    names: list[str] = []
    for name, points in series.items():
        finite = [(x, y) for x, y in points if isfinite(y)]
        if len(finite) < 2:
            continue
        (x0, x1), ys = (finite[0][0], finite[-1][0]), [y for _, y in finite]
        scaled = [
            (
                10 + (x - x0) / max(x1 - x0, 1e-9) * (WIDTH - 20),
                HEIGHT - BOTTOM - 10 - (y - min(ys)) / max(max(ys) - min(ys), 1e-9) * (HEIGHT - BOTTOM - TOP - 20),
            )
            for x, y in finite
        ]
        parts.append(_line(len(names), scaled))
        names.append(f"{name}: {ys[0]:.2f} → {ys[-1]:.2f}")
    return _svg(HEIGHT, parts) + legend(names)


def legend(names: Sequence[str]) -> Markup:
    """The colour of each series and its name."""
    items = (f'<li><i class="s{number % SERIES}"></i>{escape(name)}</li>' for number, name in enumerate(names))
    return Markup(f'<ul class="legend">{"".join(items)}</ul>')


def _plot(labels: Sequence[str], top: float, text: Callable[[float], str], marks: Sequence[str]) -> Markup:
    """The frame of a plot: three rules with their values, labels below, then the marks."""
    floor, step = HEIGHT - BOTTOM, _step(labels)
    rules = [
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{text(top * share)}</text>'
        for share in (0, 0.5, 1)
        for y in (floor - share * (floor - TOP),)
    ]
    every = 1 + len(labels) // MOST_LABELS
    below = [
        f'<text class="middle" x="{LEFT + step * (place + 0.5):.1f}" y="{HEIGHT - 8}">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0
    ]
    return _svg(HEIGHT, [*rules, *below, *marks])


def _svg(height: int, parts: Sequence[str]) -> Markup:
    return Markup(f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>')


def _bar(series: int, x: float, y: float, width: float, height: float, inside: str = "") -> str:
    return f'<rect class="s{series % SERIES}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">{inside}</rect>'


def _line(series: int, points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="s{series % SERIES}" points="{path}"/>'


def _shares(values: Sequence[float]) -> list[float]:
    return [value / (sum(values) or 1) for value in values]


def _step(labels: Sequence[str]) -> float:
    return (WIDTH - LEFT) / max(1, len(labels))


def _tall(value: float, top: float) -> float:
    return value / top * (HEIGHT - BOTTOM - TOP)
