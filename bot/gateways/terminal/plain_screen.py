"""A terminal without cursor codes, such as a shell inside an editor: whole lines, one below the other."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from bot.gateways.terminal.screen import lines_of


class PlainScreen:
    """Editing is left to the terminal. greeting: printed at once."""

    is_typed = True

    def __init__(self, greeting: str) -> None:
        self._prompt = ""
        self._stands = False  # the prompt, at the end of what is shown
        self.show(greeting)

    async def lines(self, prompt: str) -> AsyncIterator[str]:
        """What is typed, until Ctrl-D."""
        self._prompt = prompt
        self._ask()
        async for line in lines_of(sys.stdin):
            self._stands = False
            yield line
            self._ask()

    def show(self, text: str, *, only_typed: bool = False) -> None:
        """Print it on a line of its own, and the prompt again."""
        self._line(text)
        self._ask()

    @contextmanager
    def status(self, text: str) -> Iterator[None]:
        """Print it once: nothing can be taken away again."""
        self._line(text)
        yield

    def _line(self, text: str) -> None:
        print(f"\n{text}" if self._stands else text, flush=True)
        self._stands = False

    def _ask(self) -> None:
        if self._prompt and not self._stands:
            print(self._prompt, end="", flush=True)
            self._stands = True
