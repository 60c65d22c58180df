"""Plots of a training, as PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def plot_losses(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Training loss (nats a token) and held-out bits per character over the steps."""
    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    loss = [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]
    held_out = [
        (entry["step"], entry["eval_bits_per_character"]) for entry in history if "eval_bits_per_character" in entry
    ]
    axes.plot(*zip(*loss, strict=True), color="#4477aa", label="training loss, nats a token") if loss else None
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.grid(alpha=0.3)
    if held_out:
        right = axes.twinx()
        right.plot(*zip(*held_out, strict=True), color="#cc6677", marker="o", label="held out, bits a character")
        right.set_ylabel("held-out bits per character")
        axes.legend(handles=[*axes.get_lines(), *right.get_lines()], loc="upper right")
    figure.savefig(path)
