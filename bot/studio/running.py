"""The trainer as a process of its own: what it tells while it runs, and its result. Knows nothing of Gradio."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from persona.errors import UserError

ROOT = Path(__file__).parents[2]  # where `python -m trainer` finds itself
OWN = "alterego: "  # how a sentence of the trainer's begins
LOOK_EVERY = 0.3  # seconds
LONGEST_LINE = 1 << 26  # bytes of a result
PATIENCE = 30.0  # seconds to leave nothing half-written

Status = Mapping[str, Any]


class Run:
    """One command of the trainer. history: its status reports so far, the latest last (see trainer/progress.py)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.history: list[Status] = []
        self._process = process
        self._last_words = ""
        self._interrupted = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def begin(cls, config: Path, *arguments: str) -> "Run":
        """Start `python -m trainer ARGUMENTS --json` with these settings."""
        words = [sys.executable, "-m", "trainer", *arguments, "--config", str(config), "--json"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, stdout=pipe, stderr=pipe, limit=LONGEST_LINE, start_new_session=True
        )  # in a session of its own: Ctrl-C in the terminal is ours, and reaches it once
        return cls(process)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to come."""
        return self._reading.done()

    @property
    def is_stopping(self) -> bool:
        """Whether it was interrupted and still cleans up."""
        return self._interrupted and not self.is_over

    @property
    def was_stopped(self) -> bool:
        """Whether it ended because it was interrupted."""
        return self._interrupted and self.is_over and self._process.returncode != 0

    async def result(self) -> Any:
        """Return what the command printed, once it has ended. Raises UserError with its error message."""
        printed = await asyncio.shield(self._reading)
        if self._process.returncode:
            raise UserError(self._ending)
        return json.loads(printed)

    @property
    def _ending(self) -> str:
        """Why it failed: what it said itself goes before what a library wrote, or Python when it was hardly awake."""
        if self._interrupted and not self._last_words.startswith(OWN):
            return "interrupted before it had begun"
        return self._last_words.removeprefix(OWN) or f"the trainer ended with {self._process.returncode}"

    async def steps(self) -> AsyncGenerator[Status]:
        """Its latest status, again and again until it is over."""
        while not self.is_over:
            await asyncio.wait([self._reading], timeout=LOOK_EVERY)
            yield self.history[-1] if self.history else {}

    def interrupt(self) -> None:
        """Have it stop, as Ctrl-C would."""
        if not (self._interrupted or self.is_over):
            self._interrupted = True  # once: a second one would disturb it while it cleans up
            self._process.send_signal(signal.SIGINT)

    async def stop(self) -> None:
        """Interrupt it and wait until it has cleaned up."""
        self.interrupt()
        done, _ = await asyncio.wait([self._reading], timeout=PATIENCE)
        if not done:
            self._process.kill()
            await self._reading

    async def _read(self) -> str:
        assert self._process.stdout and self._process.stderr
        printed, _ = await asyncio.gather(self._process.stdout.read(), self._listen(self._process.stderr))
        await self._process.wait()
        return printed.decode()

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        async for line in stderr:
            text = line.decode(errors="replace").strip()
            try:
                self.history.append(dict(json.loads(text)))
            except (ValueError, TypeError):  # a sentence, of the trainer or of a library
                self._last_words = text or self._last_words


def in_words(status: Status) -> str:
    """Return how far a run is, as people read it."""
    if "done" not in status:
        return str(status.get("said", "")) or "beginning …"
    left = f", {status['left']:.0f} s left" if status.get("left") else ""
    note = f", {status['note']}" if status.get("note") else ""
    return f"{status['task']}: {100 * status['done']:.0f}%{left}{note}"
