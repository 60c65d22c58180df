"""What commands print: sentences to the letter, tables without lines, JSON. rich is imported when something is printed."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from persona.command import next_step, typed

if TYPE_CHECKING:
    from rich.table import Table

MIN_CELL = 8  # characters that a column needs whose cells wrap
GAP = 2  # characters between columns
_JOINERS = "\u200c\u200d"  # part of how emoji and some scripts are written


def safe_text(text: str) -> str:
    """Return what others wrote without control characters, which could turn a terminal's line around."""
    return "".join(char for char in text if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf"})


def say(sentence: str, *, style: str = "", err: bool = False) -> None:
    """Print a sentence: brackets are no markup, numbers stay uncoloured, long lines are left to the terminal."""
    from rich.console import Console

    Console(stderr=err).print(typed(sentence), style=style or None, highlight=False, soft_wrap=True, markup=False)


def say_next(command: str, config: Path) -> None:
    """Print what to type next, unless a program types it. config: the settings file of the command that ends."""
    if line := next_step(command, config):
        say(line)


def warn(sentences: Iterable[str]) -> None:
    """Print sentences that ask for attention."""
    for sentence in sentences:
        say(sentence, style="yellow")


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    total: Sequence[str] = (),
    bold: bool = True,
    err: bool = False,
) -> None:
    """Print rows of cells under their column names; without any, no head is printed. total: a last row in bold.

    Where the terminal is narrow, cells with spaces wrap; names of models and numbers stay whole as long as there is room.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=err)
    table = Table(*columns, box=None, header_style="bold" if bold else "", show_header=bool(columns), pad_edge=False)
    for row in rows:
        table.add_row(*(Text(safe_text(cell)) for cell in row))
    _fit(table, console.width)
    if total:
        table.add_row(*map(Text, total), style="bold")
    console.print(table)


def _fit(table: "Table", width: int) -> None:
    """Say how the columns share a terminal of so many characters: what doesn't fit goes on in the next line, letter by letter
    if need be, for an ellipsis would hide what the row is about."""
    from rich.cells import cell_len

    needed = GAP * (len(table.columns) - 1)
    for column in table.columns:
        cells = [str(cell) for cell in column.cells]  # the head among them
        column.overflow = "fold"
        column.no_wrap = not any(" " in cell.strip() for cell in cells)
        needed += max(map(cell_len, cells), default=0) if column.no_wrap else MIN_CELL
    if needed > width:
        for column in table.columns:
            column.no_wrap = False


def print_json(value: object) -> None:
    """Print a value as one line of JSON on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))
