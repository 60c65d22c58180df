"""The plot of docs/performance.md: latency over load."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

MEASURES = (("first", "time to first token"), ("latency", "whole reply"))


def plot_arrivals(shapes: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]], path: Path) -> None:
    """A row a shape: p50 as a line, p95 and p99 as a band above it, over requests a second."""
    matplotlib.use("svg")
    figure = Figure(figsize=(9, 3.6 * len(shapes)), layout="constrained")
    axes = figure.subplots(len(shapes), len(MEASURES), squeeze=False)
    for row, (shape, contestants) in zip(axes, shapes.items(), strict=True):
        for axis, (measure, title) in zip(row, MEASURES, strict=True):
            for name, levels in contestants.items():
                rates = [level["rate"] for level in levels]
                (line,) = axis.plot(rates, [level[f"{measure}_p50"] for level in levels], marker="o", label=name)
                upper = [level[f"{measure}_p99"] for level in levels]
                axis.fill_between(
                    rates, [level[f"{measure}_p50"] for level in levels], upper, color=line.get_color(), alpha=0.1
                )
                axis.plot(rates, [level[f"{measure}_p95"] for level in levels], color=line.get_color(), linestyle=":")
            axis.set(title=f"{shape}: {title}", xlabel="requests a second", ylabel="seconds", yscale="log")
    axes[0][0].legend(fontsize=7)
    figure.savefig(path)
