"""Charts as inline SVG, each drawn twice: for a desk and for a phone. Colours are CSS classes that follow light and dark.

A series is named by whom it is of: `person` and `imitation` look alike on every page, everybody else is s0, s1, …
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from markupsafe import Markup, escape

HEIGHT = 220
LEFT, TOP, BOTTOM = 46, 14, 26  # room for the values, above the highest mark, for the labels
ROW = 30  # height of a horizontal bar
LETTER = 8  # pixels, of a label
OTHERS = 11  # colours of style.css for everybody else
PERSON, IMITATION, REST = "person", "imitation", "rest"

Series = Mapping[str, Sequence[float]]  # colour -> a value for each label
Draw = Callable[["Frame"], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a chart is drawn for, in pixels. names, values: room beside horizontal bars. labels: most below a plot."""

    width: int
    names: int
    values: int
    labels: int

    def step(self, labels: Sequence[str]) -> float:
        """Return the room that one of these labels has."""
        return (self.width - LEFT) / max(1, len(labels))


WIDE = Frame(720, 170, 110, 26)
NARROW = Frame(330, 108, 62, 7)


class Interval(NamedTuple):
    """A value and the interval around it. text: the value as people read it."""

    value: float
    low: float
    high: float
    text: str


def colours(count: int, person: int | None = None) -> list[str]:
    """Return a colour for each of so many people. person: which of them is the person who is imitated."""
    others = (f"s{number % OTHERS}" for number in range(count))
    return [PERSON if number == person else next(others) for number in range(count)]


def stacked_bars(title: str, labels: Sequence[str], series: Series) -> Markup:
    """Return a bar for each label, a piece for each series."""
    columns = list(zip(*series.values(), strict=True))
    top = max(map(sum, columns), default=0) or 1

    def draw(frame: Frame) -> Iterator[str]:
        step = frame.step(labels)
        width = min(step * 0.7, 60)
        yield from _axes(frame, labels, top, "{:,.0f}".format)
        for place, column in enumerate(columns):
            y = float(HEIGHT - BOTTOM)
            for colour, value in zip(series, column, strict=True):
                y -= _tall(value, top)
                hover = f"<title>{escape(labels[place])}: {value:,.0f}</title>"
                yield _bar(colour, LEFT + step * (place + 0.5) - width / 2, y, width, _tall(value, top), hover)

    return _drawn(title, draw)


def grouped_bars(title: str, labels: Sequence[str], series: Series) -> Markup:
    """Return a group of bars for each label; each series as shares of its own sum."""
    shares = {colour: _shares(values) for colour, values in series.items()}
    top = _highest(shares)

    def draw(frame: Frame) -> Iterator[str]:
        step = frame.step(labels)
        width = 0.8 * step / max(1, len(shares))
        yield from _axes(frame, labels, top, "{:.0%}".format)
        for number, (colour, values) in enumerate(shares.items()):
            for place, value in enumerate(values):
                x, tall = LEFT + step * (place + 0.1) + width * number, _tall(value, top)
                yield _bar(colour, x, HEIGHT - BOTTOM - tall, width, tall)

    return _drawn(title, draw)


def lines(title: str, labels: Sequence[str], series: Series) -> Markup:
    """Return a line with dots for each series, as shares of its own sum."""
    shares = {colour: _shares(values) for colour, values in series.items()}
    top = _highest(shares)

    def draw(frame: Frame) -> Iterator[str]:
        step = frame.step(labels)
        yield from _axes(frame, labels, top, "{:.0%}".format)
        for colour, values in shares.items():
            points = [
                (LEFT + step * (place + 0.5), HEIGHT - BOTTOM - _tall(value, top)) for place, value in enumerate(values)
            ]
            yield _line(colour, points)
            yield from (f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points)

    return _drawn(title, draw)


def interval_bars(
    title: str,
    rows: Mapping[str, Interval],
    shades: Mapping[str, str],
    low: float,
    high: float,
    marks: Mapping[str, float],
) -> Markup:
    """Return a horizontal bar with its interval for each row. shades: colours by row. marks: vertical lines by name."""
    height = ROW * len(rows) + 26

    def draw(frame: Frame) -> Iterator[str]:
        def x(value: float) -> float:
            share = (min(max(value, low), high) - low) / max(high - low, 1e-9)
            return frame.names + share * (frame.width - frame.names - frame.values)

        for name, at in marks.items():
            yield f'<line class="mark" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="4" y2="{height - 20}"/>'
            yield f'<text class="middle" x="{x(at):.1f}" y="{height - 6}">{escape(name)}</text>'
        for number, (name, row) in enumerate(rows.items()):
            y = ROW * number + 8
            yield f'<text class="name" x="0" y="{y + 13}">{escape(name)}</text>'
            yield (
                f'<rect class="{shades.get(name, REST)}" x="{frame.names}" y="{y}" '
                f'width="{max(1.0, x(row.value) - frame.names):.1f}" height="18" rx="3"/>'
            )
            across = f'x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" y1="{y + 9}" y2="{y + 9}"'
            yield f'<line class="halo" {across}/><line class="whisker" {across}/>'
            yield f'<text class="name end" x="{frame.width - 2}" y="{y + 13}">{escape(row.text)}</text>'

    return _drawn(title, draw, height)


def curves(title: str, series: Mapping[str, Sequence[tuple[float, float]]], below: str) -> Markup:
    """Return lines of (x, y) points, each on a scale of its own; the legend tells its first and last value."""
    finite = {name: [(x, y) for x, y in points if isfinite(y)] for name, points in series.items()}
    drawable = {name: points for name, points in finite.items() if len(points) > 1}
    shades = dict(zip(drawable, colours(len(drawable)), strict=True))

    def draw(frame: Frame) -> Iterator[str]:
        yield f'<text class="middle" x="{frame.width / 2}" y="{HEIGHT - 6}">{escape(below)}</text>'
        for name, points in drawable.items():
            yield _line(shades[name], list(_scaled(points, frame)))

    return _drawn(title, draw) + legend(
        (f"{name}: {points[0][1]:.2f} → {points[-1][1]:.2f}", shades[name]) for name, points in drawable.items()
    )


def legend(names: Iterable[tuple[str, str]]) -> Markup:
    """Return the names of series, each beside its colour."""
    items = (f'<li><i class="{colour}"></i>{escape(name)}</li>' for name, colour in names)
    return Markup(f'<ul class="legend">{"".join(items)}</ul>')


def _scaled(points: Sequence[tuple[float, float]], frame: Frame) -> Iterator[tuple[float, float]]:
    """Yield the points on a scale on which they fill the frame."""
    (first, last), ys = (points[0][0], points[-1][0]), [y for _, y in points]
    room = HEIGHT - BOTTOM - TOP - 20
    for x, y in points:
        across = (x - first) / max(last - first, 1e-9)
        up = (y - min(ys)) / max(max(ys) - min(ys), 1e-9)
        yield 10 + across * (frame.width - 20), HEIGHT - BOTTOM - 10 - up * room


def _axes(frame: Frame, labels: Sequence[str], top: float, text: Callable[[float], str]) -> Iterator[str]:
    """Three rules with their values, and the labels below, of which some are left out if there is no room."""
    floor, step = HEIGHT - BOTTOM, frame.step(labels)
    for share in (0, 0.5, 1):
        y = floor - share * (floor - TOP)
        yield f'<line x1="{LEFT}" x2="{frame.width}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{text(top * share)}</text>'
    every = -(-len(labels) // frame.labels)
    for place, label in enumerate(labels):
        if place % every == 0:
            x = min(LEFT + step * (place + 0.5), frame.width - len(label) * LETTER / 2)
            yield f'<text class="middle" x="{x:.1f}" y="{HEIGHT - 8}">{escape(label)}</text>'


def _drawn(title: str, draw: Draw, height: int = HEIGHT) -> Markup:
    """Return the chart for a desk and for a phone, of which style.css shows one."""
    return Markup("").join(
        Markup(
            f'<svg class="{kind}" viewBox="0 0 {frame.width} {height}" role="img" aria-label="{escape(title)}">'
            f"{''.join(draw(frame))}</svg>"
        )
        for kind, frame in (("wide", WIDE), ("narrow", NARROW))
    )


def _bar(colour: str, x: float, y: float, width: float, height: float, inside: str = "") -> str:
    return f'<rect class="{colour}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">{inside}</rect>'


def _line(colour: str, points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{colour}" points="{path}"/>'


def _shares(values: Sequence[float]) -> list[float]:
    return [value / (sum(values) or 1) for value in values]


def _highest(shares: Series) -> float:
    return max((value for values in shares.values() for value in values), default=0) or 1


def _tall(value: float, top: float) -> float:
    return value / top * (HEIGHT - BOTTOM - TOP)
