"""A chat in the terminal, or with lines from a pipe: the same way of a message as on a platform."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from bot.gateway import Finding, IncomingMessage, Intake, Limits, OutgoingMessage

CHANNEL = "terminal:chat"


class TerminalGateway:
    """Reads lines from stdin and prints replies. name: the persona's, for display. author: who types."""

    platform = "terminal"
    limits = Limits(units=100_000, idempotent_sends=True)

    def __init__(self, name: str, author: str = "you") -> None:
        self._name = name
        self._author = author
        self._ids = count(time.time_ns())

    async def run(self, intake: Intake) -> None:
        """A message a line, until the end of input."""
        await intake.opened("terminal:local", self._name)
        interactive = sys.stdin.isatty()
        while (line := await asyncio.to_thread(self._read, interactive)) is not None:
            if line.strip():
                if not interactive:
                    print(f"{self._author}: {line}", flush=True)
                await intake.received(self._message(line))
                await intake.settled(CHANNEL)

    def _read(self, interactive: bool) -> str | None:
        if interactive:
            try:
                return input(f"{self._author}: ")
            except EOFError:
                print()
                return None
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None

    def _message(self, text: str) -> IncomingMessage:
        return IncomingMessage(CHANNEL, str(next(self._ids)), self._author, self._author, text, time.time(), is_dm=True)

    async def pace(self, channel: str) -> None:
        """The terminal takes everything."""

    async def send(self, message: OutgoingMessage) -> str:
        """Print it."""
        print(f"{self._name}: {message.text}", flush=True)
        return str(next(self._ids))

    async def find(self, message: OutgoingMessage) -> str | None:
        """Return None: what was printed to another process's terminal can't be found."""
        return "gone"

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        """Return nothing: a terminal keeps no history."""
        return []

    async def examine(self, targets: Sequence[str]) -> Sequence[Finding]:
        """Return no findings: a terminal can always be written to."""
        return []

    @asynccontextmanager
    async def typing(self, channel: str) -> AsyncIterator[None]:
        """Nothing to show: the prompt is not there while it types."""
        yield
