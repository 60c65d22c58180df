"""What the daemon must not forget. SQL; each step is one transaction.

inbox: messages and their verdicts; outbox: posts to be made; memory: what was said; people: who they are and who opted
out; channels: watermarks, silences, moves; timetable: the next tweet; notes: what it is to remember.
"""

import time
from collections.abc import Callable, Collection
from pathlib import Path

import sqlalchemy as sa

from bot.store.channels import EVERYWHERE, Channels
from bot.store.database import Database
from bot.store.drafts import Drafts, drafted_channel, shown_as
from bot.store.feedback import Feedback, FeedbackRecord
from bot.store.inbox import Inbox
from bot.store.memory import Memory
from bot.store.notes import Notes
from bot.store.outbox import DRAFTED, HANDED_IN, LOGGED, OPEN, Outbox
from bot.store.people import People
from bot.store.records import (
    Answer,
    ChannelView,
    HistoryMessage,
    InboundMessage,
    Note,
    OutgoingPart,
    Participant,
    Participants,
    PendingMessage,
    PolicyContext,
    Post,
    PostedAnswer,
    Receipt,
    Recent,
)
from bot.store.repository import Repository, transaction
from bot.store.schema import (
    access_requests,
    answers,
    filled,
    inbox,
    memory,
    moves,
    outbox,
    participants,
    quarantine,
    silences,
    stickers,
    surroundings,
    watermarks,
)
from bot.store.timetable import Timetable

__all__ = [
    "DAY",
    "DRAFTED",
    "EVERYWHERE",
    "HANDED_IN",
    "LOGGED",
    "Answer",
    "BotStore",
    "ChannelView",
    "FeedbackRecord",
    "HistoryMessage",
    "InboundMessage",
    "Note",
    "OutgoingPart",
    "Participant",
    "Participants",
    "PendingMessage",
    "PolicyContext",
    "Post",
    "PostedAnswer",
    "Receipt",
    "Recent",
    "drafted_channel",
    "shown_as",
]

DAY = 86400.0


class BotStore(Repository):
    """The open store, one repository for each kind of row. clock: UTC seconds."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.clock: Callable[[], float] = database.clock
        self.inbox = Inbox(database)
        self.outbox = Outbox(database)
        self.drafts = Drafts(database)
        self.feedback = Feedback(database)
        self.memory = Memory(database)
        self.people = People(database)
        self.channels = Channels(database)
        self.timetable = Timetable(database)
        self.notes = Notes(database)

    @classmethod
    async def open(cls, url: str, folder: Path, clock: Callable[[], float] = time.time) -> "BotStore":
        """Return the store at `url`, brought to the current schema. folder: what a relative SQLite path is relative to.
        Raises UserError if it can't be opened."""
        return cls(await Database.open(url, folder, clock))

    async def close(self) -> None:
        """Let go of every connection, once what was begun has come to its end."""
        await self.database.close()

    @transaction
    def purge(self, write: sa.Connection, keep_days: float, named: Collection[str] = ()) -> int:
        """Forget what is older than `keep_days`, but nothing that is still to be answered or sent. Returns how many rows
        went.

        Names and fillings go once nothing is remembered of a person or a channel; a watermark then, since an account
        reads on from when it last heard everything; a chat's move unless its old id is in `named`, the channels of the
        settings. Feedback is kept until it is forgotten by name.
        """
        before = self.clock() - keep_days * DAY
        old = (watermarks, moves, answers, access_requests, quarantine, stickers)
        statements = (
            memory.delete().where(memory.c.at < before),
            participants.delete().where(~_remembered(participants, "account", "channel", "author_id")),
            *(
                table.delete().where(table.c.at < before, ~_remembered(table, "account", "channel"))
                for table in (filled, surroundings)
            ),
            inbox.delete().where(inbox.c.settled_at < before),
            outbox.delete().where(outbox.c.at < before, outbox.c.state.notin_(OPEN)),
            silences.delete().where(silences.c.until < before),
            *(table.delete().where(table.c.at < before, *_unless(table, named)) for table in old),
        )
        return sum(write.execute(statement).rowcount for statement in statements)


def _remembered(table: sa.Table, *names: str) -> sa.Exists:
    """Return whether anything is remembered of what a row is about."""
    return sa.exists().where(*(memory.c[name] == table.c[name] for name in names))


def _unless(table: sa.Table, named: Collection[str]) -> list[sa.ColumnElement[bool]]:
    return [moves.c.old.notin_(named)] if table is moves else []
