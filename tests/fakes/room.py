"""A gateway without a platform: what is said in it is committed, what is posted is kept. For tests of what lies between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from bot.gateway import Expressions, Finding, IncomingMessage, Intake, Limits, OutgoingMessage


class Room:
    """Account 1 of the platform `discord`. trouble: raised by the next calls of send, one each."""

    platform = "discord"

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits(units=2000, idempotent_sends=True, markup="none")
        self.posted: list[OutgoingMessage] = []
        self.deleted: list[str] = []
        self.trouble: list[Exception] = []
        self.can_say = Expressions(any_reaction=True)
        self.open = asyncio.Event()
        self._numbers = count(1)
        self.intake: Intake

    async def run(self, intake: Intake) -> None:
        self.intake = intake
        await intake.opened("discord:1", "persona")
        self.open.set()
        await asyncio.Event().wait()  # until cancelled

    async def say(self, *messages: IncomingMessage) -> None:
        """Somebody says something."""
        await self.open.wait()
        await self.intake.received(*messages)

    async def pace(self, channel: str, post_type: str = "text") -> None:
        pass

    async def send(self, message: OutgoingMessage) -> str:
        if self.trouble:
            raise self.trouble.pop(0)
        self.posted.append(message)
        return f"9{next(self._numbers):06d}"

    async def delete(self, channel: str, message_id: str) -> None:
        self.deleted.append(message_id)

    async def find(self, message: OutgoingMessage) -> str | None:
        return None

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        return []

    async def fetch(self, channel: str, message_id: str) -> IncomingMessage | None:
        return None

    async def expressions(self, channel: str) -> Expressions:
        return self.can_say

    @asynccontextmanager
    async def typing(self, channel: str) -> AsyncIterator[None]:
        yield

    async def examine(self, targets: Sequence[str]) -> Sequence[Finding]:
        return []
