"""What the daemon must not forget. SQL; each step is one transaction.

inbox: messages and their verdicts; outbox: posts to be made; memory: what was said; people: who they are and who opted
out; places: watermarks, silences, moves; timetable: the next tweet.
"""

import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from bot.store.channels import EVERYWHERE, Channels
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.memory import Memory
from bot.store.outbox import HANDED_IN, OPEN, Outbox
from bot.store.people import People
from bot.store.records import (
    Answer,
    HistoryMessage,
    InboundMessage,
    OutgoingPart,
    Participant,
    Participants,
    PendingMessage,
    PolicyContext,
    Post,
    Receipt,
    Recent,
)
from bot.store.repository import Repository, transaction
from bot.store.schema import access_requests, answers, inbox, memory, outbox, participants, quarantine
from bot.store.timetable import Timetable

__all__ = [
    "DAY",
    "EVERYWHERE",
    "HANDED_IN",
    "Answer",
    "BotStore",
    "HistoryMessage",
    "InboundMessage",
    "OutgoingPart",
    "Participant",
    "Participants",
    "PendingMessage",
    "PolicyContext",
    "Post",
    "Receipt",
    "Recent",
]

DAY = 86400.0


class BotStore(Repository):
    """The open store, room by room. clock: UTC seconds."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.clock: Callable[[], float] = database.clock
        self.inbox = Inbox(database)
        self.outbox = Outbox(database)
        self.memory = Memory(database)
        self.people = People(database)
        self.channels = Channels(database)
        self.timetable = Timetable(database)

    @classmethod
    async def open(cls, url: str, folder: Path, clock: Callable[[], float] = time.time) -> "BotStore":
        """The store at `url`, brought to the current schema. folder: what a relative SQLite path is relative to.
        Raises UserError where it can't be opened."""
        return cls(await Database.open(url, folder, clock))

    async def close(self) -> None:
        """Let go of every connection, once what was begun has come to its end."""
        await self.database.close()

    @transaction
    def purge(self, write: sa.Connection, keep_days: float) -> int:
        """Forget what is older than `keep_days`, and the names of whom nothing is remembered; but nothing that is still
        to be answered or sent. Feedback is kept until it is forgotten by name. Returns how many rows went."""
        before = self.clock() - keep_days * DAY
        matches = (
            getattr(memory.c, name) == getattr(participants.c, name) for name in ("account", "channel", "author_id")
        )
        remembered = sa.exists().where(*matches)
        statements = (
            memory.delete().where(memory.c.at < before),
            participants.delete().where(~remembered),
            inbox.delete().where(inbox.c.settled_at < before),
            outbox.delete().where(outbox.c.at < before, outbox.c.state.notin_(OPEN)),
            *(table.delete().where(table.c.at < before) for table in (answers, access_requests, quarantine)),
        )
        return sum(write.execute(statement).rowcount for statement in statements)
