"""Small charts as inline SVG. Colours are the page's own (CSS variables), so that they follow light and dark."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite

from trainer.evaluate.intervals import Figure

WIDTH = 640


def bars_between(rows: Mapping[str, Figure], low: float, high: float, marks: Mapping[str, float]) -> str:
    """One horizontal bar a row with its interval; marks: vertical lines with a name (floor, ceiling, bound)."""
    height = 30 * len(rows) + 26
    parts = [
        f'<line class="axis" x1="{_x(at, low, high):.1f}" x2="{_x(at, low, high):.1f}" y1="4" y2="{height - 20}"/>'
        f'<text class="mark" x="{_x(at, low, high):.1f}" y="{height - 6}">{escape(name)}</text>'
        for name, at in marks.items()
    ]
    for number, (name, one) in enumerate(rows.items()):
        y = 30 * number + 8
        ends = [_x(min(max(value, low), high), low, high) for value in (one.value, one.low, one.high)]
        zero = _x(low, low, high)
        kind = "ours" if number == 0 else "theirs"
        parts.append(
            f'<text class="name" x="0" y="{y + 13}">{escape(name)}</text>'
            f'<rect class="{kind}" x="{zero:.1f}" y="{y}" width="{max(1.0, ends[0] - zero):.1f}" height="18" rx="3"/>'
            f'<line class="whisker" x1="{ends[1]:.1f}" x2="{ends[2]:.1f}" y1="{y + 9}" y2="{y + 9}"/>'
            f'<text class="value" x="{WIDTH - 2}" y="{y + 13}">{one.value:.2f}</text>'
        )
    return _svg(height, "".join(parts))


def columns(series: Mapping[str, Sequence[float]], labels: Sequence[str]) -> str:
    """Grouped columns, each series as shares of its own sum."""
    height, floor = 190, 160
    shares = [[value / max(sum(values), 1e-9) for value in values] for values in series.values()]
    top = max((value for values in shares for value in values), default=1.0) or 1.0
    slot = WIDTH / max(1, len(labels))
    wide = 0.8 * slot / max(1, len(shares))
    parts = [
        f'<rect class="{"ours" if number == 0 else "theirs"}" x="{slot * k + 0.1 * slot + wide * number:.1f}" '
        f'y="{floor - 140 * value / top:.1f}" width="{wide:.1f}" height="{140 * value / top:.1f}" rx="2"/>'
        for number, values in enumerate(shares)
        for k, value in enumerate(values)
    ]
    parts += [
        f'<text class="mark" x="{slot * (k + 0.5):.1f}" y="{floor + 16}">{escape(label)}</text>'
        for k, label in enumerate(labels)
    ]
    return _svg(height, "".join(parts)) + _legend(list(series))


def curves(series: Mapping[str, Sequence[tuple[float, float]]], below: str) -> str:
    """Lines of (x, y) points, each series on a scale of its own; its first and last value are written out."""
    height = 190
    parts = [f'<text class="mark" x="{WIDTH / 2}" y="{height - 6}">{escape(below)}</text>']
    predictions = []
    for number, (name, points) in enumerate(series.items()):
        good = [(x, y) for x, y in points if isfinite(y)]
        if len(good) < 2:
            continue
        (x0, x1), ys = (good[0][0], good[-1][0]), [y for _, y in good]
        least, most = min(ys), max(ys)
        path = " ".join(
            f"{(x - x0) / max(x1 - x0, 1e-9) * (WIDTH - 20) + 10:.1f},"
            f"{150 - (y - least) / max(most - least, 1e-9) * 130:.1f}"
            for x, y in good
        )
        parts.append(f'<polyline class="{"ours" if number == 0 else "theirs"} line" points="{path}"/>')
        predictions.append(f"{name}: {ys[0]:.2f} → {ys[-1]:.2f}")
    return _svg(height, "".join(parts)) + _legend(predictions)


def _x(value: float, low: float, high: float) -> float:
    return 170 + (value - low) / max(high - low, 1e-9) * (WIDTH - 230)


def _legend(names: Sequence[str]) -> str:
    keys = (f'<span class="key {"ours" if k == 0 else "theirs"}"></span>{escape(name)}' for k, name in enumerate(names))
    return f'<p class="legend">{" ".join(keys)}</p>'


def _svg(height: int, inside: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{inside}</svg>'
