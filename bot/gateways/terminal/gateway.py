"""The gateway of the terminal: lines become messages, replies are printed, leaving takes no time."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from bot.gateway import COMMANDS, Command, Expressions, Finding, IncomingMessage, Intake, Limits, OutgoingMessage
from bot.gateways.terminal.screen import Screen
from bot.tasks import end
from persona.names import normalise

CHANNEL = "terminal:chat"
LEAVE = {"quit": "Leave; Ctrl-C and Ctrl-D do so too"}
HELP = {"help": "What can be typed here"}
OFFERED = (
    "remember",
    "tweet",
    "reset",
    "forget",
    "status",
    "notme",
)  # of the platforms' commands, what serves somebody who is alone with it


class TerminalGateway:
    """Reads what is typed and prints replies. name: the persona's, for display. author: who types."""

    platform = "terminal"
    limits = Limits(units=100_000, idempotent_sends=True, owner_alone=True)

    def __init__(self, screen: Screen, name: str, author: str = "you") -> None:
        self._screen = screen
        self._name = name
        self._author = author
        self._ids = count(time.time_ns())
        self._unanswered: list[str] = []

    async def run(self, intake: Intake) -> None:
        """A message a line, until the end of input or /quit. What is not answered by then never will be."""
        await intake.opened(
            f"{self.platform}:{normalise(self._name)}", self._name
        )  # what one persona was told, no other knows
        self._screen.show(f"You are talking to {self._name}. /help lists commands, /quit leaves.", only_typed=True)
        watching: set[asyncio.Task[None]] = set()
        try:
            async for line in self._screen.lines(f"{self._author}: "):
                if line.strip() == "/quit":
                    return
                if line.startswith("/"):
                    await self._obey(intake, line)
                elif line.strip():
                    await self._say(intake, line, watching)
        finally:
            await end(watching)
            if self._unanswered:  # else the next chat would begin with an answer to this one
                await intake.deleted(CHANNEL, self._unanswered)

    async def _say(self, intake: Intake, line: str, watching: "set[asyncio.Task[None]]") -> None:
        message = self._message(line)
        self._unanswered.append(message.message_id)
        await intake.received(message)
        if self._screen.is_typed:
            watching.add(task := asyncio.create_task(self._settled(intake)))
            task.add_done_callback(watching.discard)
        else:  # the next line of a pipe is an answer to what comes now
            await self._settled(intake)

    async def _settled(self, intake: Intake) -> None:
        """Wait for the answer; say so if there is none."""
        asked = list(self._unanswered)
        await intake.settled(CHANNEL)
        if asked and asked == self._unanswered:
            self._unanswered.clear()
            self._screen.show(f"({self._name} has nothing to say to that)", only_typed=True)

    async def _obey(self, intake: Intake, line: str) -> None:
        """Run a command that was typed."""
        name, _, argument = line.removeprefix("/").partition(" ")
        if name in HELP:
            self._screen.show(_help())
        elif name in OFFERED:
            number = str(next(self._ids))
            command = Command(CHANNEL, self._author, name, argument.strip(), "owner", is_dm=True, id=number)
            self._screen.show(await intake.commanded(command))
        else:
            self._screen.show(f"there is no /{name}; /help lists what there is")

    def _message(self, text: str) -> IncomingMessage:
        return IncomingMessage(CHANNEL, str(next(self._ids)), self._author, self._author, text, time.time(), is_dm=True)

    async def pace(self, channel: str, post_type: str = "text") -> None:
        """The terminal takes everything."""

    async def send(self, message: OutgoingMessage) -> str:
        """Print it."""
        self._unanswered.clear()
        said = f"[{message.text}]" if message.post_type == "reaction" else message.text
        self._screen.show(f"{self._name}: {said}")
        return str(next(self._ids))

    async def delete(self, channel: str, message_id: str) -> None:
        """Do nothing: what was printed stays."""

    async def find(self, message: OutgoingMessage) -> str | None:
        """Return what stands for a post that can't be looked for: it is gone with its terminal."""
        return "gone"

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        """Return nothing: a terminal keeps no history."""
        return []

    async def fetch(self, channel: str, message_id: str) -> IncomingMessage | None:
        """Return nothing: a terminal keeps no history."""
        return None

    async def expressions(self, channel: str) -> Expressions:
        """Return that any emoji can be printed."""
        return Expressions(any_reaction=True)

    async def examine(self, targets: Sequence[str]) -> Sequence[Finding]:
        """Return no findings: a terminal can always be written to."""
        return []

    @asynccontextmanager
    async def typing(self, channel: str) -> AsyncIterator[None]:
        """Show that it types, below what one types oneself."""
        with self._screen.status(f"{self._name} is typing…"):
            yield


def _help() -> str:
    about = {command.name: command.summary for command in COMMANDS if command.name in OFFERED}
    return "\n".join(f"  /{name:<8} {text}" for name, text in {**HELP, **about, **LEAVE}.items())
