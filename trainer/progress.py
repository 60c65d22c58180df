"""Progress on stderr: bars with an ETA on a terminal, a plain line every ten seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_EVERY = 10.0  # seconds between lines where there is no terminal

Advance = Callable[..., None]  # advance(steps, note="")


class Bars:
    """Shows tasks one below the other. quiet: show nothing."""

    def __init__(self, console: Console | None = None, quiet: bool = False) -> None:
        self.console = console or Console(stderr=True)
        self._quiet = quiet
        columns = (
            TextColumn("{task.description}"),
            BarColumn(24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("eta"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._rich = None if quiet or not self.console.is_terminal else Progress(*columns, console=self.console)

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
        if not self._quiet:
            (self._rich.console if self._rich else self.console).print(
                text, highlight=False, soft_wrap=True, markup=False
            )

    @contextmanager
    def task(self, name: str, total: float) -> Iterator[Advance]:
        """One task of `total` steps; call what is yielded with steps done and perhaps a note."""
        if self._rich:
            yield from self._bar(self._rich, name, total)
        else:
            yield self._plain(name, total)

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
            if now - spoken >= PLAIN_EVERY and 0 < done <= total:
                spoken = now
                left = (now - start) * (total - done) / done
                self.say(f"{name}: {100 * done / total:.0f}%, eta {left:.0f} s{', ' + note if note else ''}")

        return advance
