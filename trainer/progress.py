"""Progress on stderr: bars with an ETA on a terminal, a plain line every ten seconds elsewhere, JSON for programs."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from persona.command import typed

PLAIN_EVERY = 10.0  # seconds between lines where there is no terminal
TOLD_EVERY = 0.5  # seconds between lines for programs
NARROW, WIDE = 60, 100  # characters: below, a line has no bar; from there on, a long one
FIGURES, ELAPSED = 18, 11  # characters of share and time left, and of the time so far, with the blanks between
MIN_NOTE = 12  # characters that are worth showing
MIN_DONE = 0.01  # of a task: what was done before, with its preparations, says nothing about the rest

Advance = Callable[..., None]  # advance(steps, note="")


class RemainingColumn(ProgressColumn):
    """The time left at the mean rate so far: rich's own follows the last seconds, and an evaluation throws it off."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return `eta 1:23`."""
        left = remaining(task.elapsed or 0.0, task.completed, task.total or 0.0)
        shown = (
            "-:--"
            if left is None or task.finished
            else f"{timedelta(seconds=round(left))}".removeprefix("0:").removeprefix("0")
        )
        return Text("" if task.finished else f"eta {shown}", style="progress.remaining")


def remaining(elapsed: float, done: float, total: float) -> float | None:
    """Return the seconds left of a task at its mean rate; None before enough is done to tell."""
    return elapsed * max(0.0, total - done) / done if done > 0 and done >= MIN_DONE * total else None


def _columns(width: int) -> list[ProgressColumn]:
    """Return what a line of progress shows on a terminal of this width, in characters: never more than one line."""

    def text(what: str, most: int) -> TextColumn:
        return TextColumn(what, table_column=Column(overflow="ellipsis", no_wrap=True, max_width=most))

    share, left = TaskProgressColumn(), RemainingColumn()
    if width < NARROW:
        return [text("{task.description}", width - FIGURES), share, left]
    bar, name = (24, 36) if width >= WIDE else (10, 22)
    note = [text("{task.fields[note]}", room)] if (room := width - bar - name - FIGURES - ELAPSED) >= MIN_NOTE else []
    return [text("{task.description}", name), BarColumn(bar), share, TimeElapsedColumn(), left, *note]


class Bars:
    """Shows tasks one below the other. quiet: show nothing. for_programs: a JSON object a line instead."""

    def __init__(self, console: Console | None = None, quiet: bool = False, for_programs: bool = False) -> None:
        self.console = console or Console(stderr=True)
        self._for_programs = for_programs
        self._quiet = quiet = quiet or for_programs
        shown = not quiet and self.console.is_terminal
        self._rich = Progress(*_columns(self.console.width), console=self.console) if shown else None

    def __enter__(self) -> "Bars":
        if self._rich:
            self._rich.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rich:
            self._rich.stop()

    def say(self, text: str) -> None:
        """A line above the bars."""
        text = typed(text)
        self._tell(said=text)
        if not self._quiet:
            (self._rich.console if self._rich else self.console).print(
                text, highlight=False, soft_wrap=True, markup=False
            )

    def warn(self, text: str) -> None:
        """A line about something that went wrong; told if nothing else is, too."""
        self.say(text)
        if self._quiet and not self._for_programs:
            self.console.print(typed(text), highlight=False, soft_wrap=True, markup=False)

    def figures(self, task: str, step: int, values: Mapping[str, float]) -> None:
        """What was measured at a step of a task, for programs; people read it in the bar's note."""
        self._tell(task=task, step=step, **values)

    def _tell(self, **what: object) -> None:
        if self._for_programs:
            print(json.dumps(what, ensure_ascii=False), file=sys.stderr, flush=True)

    @contextmanager
    def task(self, name: str, total: float) -> Iterator[Advance]:
        """One task of `total` steps; call what is yielded with steps done and perhaps a note."""
        if self._rich:
            yield from self._bar(self._rich, name, total)
        else:
            self._tell(task=name, done=0.0)
            yield self._plain(name, total)
            self._tell(task=name, done=1.0)

    def _bar(self, rich: Progress, name: str, total: float) -> Iterator[Advance]:
        task = rich.add_task(name, total=total, note="")

        def advance(steps: float, note: str | None = None) -> None:
            rich.update(task, advance=steps)
            if note is not None:
                rich.update(task, note=note)

        yield advance
        rich.update(task, completed=total)

    def _plain(self, name: str, total: float) -> Advance:
        start = spoken = time.monotonic()
        done = 0.0

        def advance(steps: float, note: str | None = None) -> None:
            nonlocal done, spoken
            done += steps
            now = time.monotonic()
            if now - spoken >= (TOLD_EVERY if self._for_programs else PLAIN_EVERY) and 0 < done <= total:
                spoken = now
                left = remaining(now - start, done, total)
                known = {} if left is None else {"left": round(left, 1)}
                self._tell(task=name, done=round(done / total, 4), **known, note=note or "")
                if not self._for_programs:
                    eta = "" if left is None else f", eta {left:.0f} s"
                    self.say(f"{name}: {100 * done / total:.0f}%{eta}{', ' + note if note else ''}")

        return advance
