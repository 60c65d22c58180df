"""Where a chat is written and shown: what a screen is, and the one for lines from a pipe or a file."""

import asyncio
import codecs
import io
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Protocol

CHUNK = 1 << 16  # bytes read at once
DUMB = ("", "dumb", "unknown")  # what TERM says where no cursor can be moved


class Screen(Protocol):
    """One end of a chat. is_typed: whether somebody sits there, rather than a pipe."""

    @property
    def is_typed(self) -> bool: ...

    def lines(self, prompt: str) -> AsyncIterator[str]:
        """What is typed, line by line, until the end of input."""

    def show(self, text: str, *, only_typed: bool = False) -> None:
        """Print a text without disturbing what is being typed. only_typed: leave it out where nobody sits."""

    def status(self, text: str) -> AbstractContextManager[None]:
        """Show that something is going on, until left."""


class PipeScreen:
    """Lines of a pipe or a file, printed as if they had been typed."""

    is_typed = False

    def __init__(self, source: IO[str] | None = None) -> None:
        self._source = source or sys.stdin

    async def lines(self, prompt: str) -> AsyncIterator[str]:
        """Every line, echoed under `prompt`. Read without a thread, which could not be interrupted."""
        async for line in lines_of(self._source):
            if line.strip():
                self.show(f"{prompt}{line}")
            yield line

    def show(self, text: str, *, only_typed: bool = False) -> None:
        """Print it."""
        if not only_typed:
            print(text, flush=True)

    @contextmanager
    def status(self, text: str) -> Iterator[None]:
        """A pipe has no place for it."""
        yield


async def lines_of(source: IO[str]) -> AsyncIterator[str]:
    """Lines without their ends; whatever can't be waited for (a file, /dev/null) is read as it stands."""
    number = _waitable(source)
    if number is None:
        for line in source:
            yield line.rstrip("\n")
        return
    decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
    while chunk := await _read(number):
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in whole:
            yield line
    if rest := rest + decoder.decode(b"", final=True):
        yield rest


async def _read(number: int) -> bytes:
    """What there is to read, once there is some: a reader that stays would call once too often, and the next read block."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(number, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(number)
    return os.read(number, CHUNK)


def _waitable(source: IO[str]) -> int | None:
    """The descriptor that a loop can wait for; None for files, and for what is none."""
    try:
        number = source.fileno()
    except (OSError, ValueError, io.UnsupportedOperation):
        return None
    mode = os.fstat(number).st_mode
    is_null = stat.S_ISCHR(mode) and not os.isatty(number)
    return None if stat.S_ISREG(mode) or is_null else number


@contextmanager
def open_screen(greeting: str) -> Iterator[Screen]:
    """The terminal if somebody sits at both ends of it, else the pipe. greeting: shown there until the chat begins."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        yield PipeScreen()
        return
    if os.environ.get("TERM", "").lower() in DUMB:
        from bot.gateways.terminal.plain_screen import PlainScreen

        yield PlainScreen(greeting)
        return
    from bot.gateways.terminal.typed_screen import TypedScreen

    with TypedScreen(greeting) as screen:
        yield screen
