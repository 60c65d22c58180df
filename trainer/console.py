"""What commands print: sentences to the letter, tables without lines, JSON. rich is imported when something is printed."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from persona.command import next_step, typed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

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

    Where the terminal is narrow, cells with spaces wrap; where it is too narrow for columns, each row becomes a paragraph.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, rows = Console(stderr=err), list(rows)
    table = Table(*columns, box=None, header_style="bold" if bold else "", show_header=bool(columns), pad_edge=False)
    for row in rows:
        table.add_row(*(Text(safe_text(cell)) for cell in row))
    if total:
        table.add_row(*map(Text, total), style="bold")
    if _fits(table, console.width) or not columns:
        console.print(table)
    else:
        _print_paragraphs(console, columns, [*rows, *([total] if total else [])])


def _print_paragraphs(console: "Console", columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print each row below its first cell, every cell behind its column's name."""
    from rich.padding import Padding
    from rich.text import Text

    for first, *cells in rows:
        named = (f"{name} {safe_text(cell)}".strip() for name, cell in zip(columns[1:], cells, strict=True) if cell)
        console.print(Text(safe_text(first)))
        console.print(Padding(Text(", ".join(named)), (0, 0, 0, 2)))


def _fits(table: "Table", width: int) -> bool:
    """Give the columns of a table their widths on a terminal of so many characters; returns whether that cuts no word. Where it
    would, cells go on in the next line letter by letter, for an ellipsis would hide what the row is about."""
    from rich.cells import cell_len

    wished, least = [], []
    for column in table.columns:
        cells = [str(cell) for cell in (column.header, *column.cells)]
        wraps = any(" " in cell.strip() for cell in cells)
        column.overflow = "fold"
        wished.append(max(map(cell_len, cells), default=0))
        least.append(
            max((cell_len(word) for cell in cells for word in cell.split()), default=0) if wraps else wished[-1]
        )
    spare = width - GAP * (len(wished) - 1)
    if sum(least) > spare:
        return False
    while sum(wished) > spare:
        widest = max(range(len(wished)), key=lambda number: wished[number] - least[number])
        wished[widest] -= 1
    for column, characters in zip(table.columns, wished, strict=True):
        column.width = characters
    return True


def print_json(value: object) -> None:
    """Print a value as one line of JSON on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))
