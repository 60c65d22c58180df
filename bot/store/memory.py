"""What was said in each channel, for the next answer."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from bot.store.database import columns, lines_of, written
from bot.store.inserts import insert_new
from bot.store.people import keep_participant
from bot.store.records import HistoryMessage, InboundMessage
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import answers, filled, inbox, memory, outbox


class Memory(Repository):
    """Messages by channel; no query spans two of them."""

    @reading
    def remembered(
        self, read: sa.Connection, account: str, channel: str, message_id: str, most: int
    ) -> list[HistoryMessage]:
        """Return the last messages of a channel up to `message_id`, oldest first; none if that was deleted."""
        place = {"account": account, "channel": channel, "message_id": message_id, "most": most}
        return _remembered(read.execute(_UP_TO, place))[::-1]

    @reading
    def following(
        self, read: sa.Connection, account: str, channel: str, message_id: str, most: int
    ) -> list[HistoryMessage]:
        """Return the messages of a channel after `message_id`, oldest first."""
        place = {"account": account, "channel": channel, "message_id": message_id, "most": most}
        return _remembered(read.execute(_AFTER, place))

    @reading
    def latest(self, read: sa.Connection, account: str, channel: str, most: int) -> list[HistoryMessage]:
        """Return the last messages of a channel, oldest first."""
        return _remembered(read.execute(_LATEST, {"account": account, "channel": channel, "most": most}))[::-1]

    @reading
    def own(self, read: sa.Connection, account: str, channel: str, most: int) -> list[HistoryMessage]:
        """Return the persona's last messages in a channel, newest first."""
        return _remembered(read.execute(_OWN, {"account": account, "channel": channel, "most": most}))

    @reading
    def others_since(self, read: sa.Connection, account: str, channel: str, since: float) -> int:
        """Count the messages that others wrote in a channel since then (UTC seconds)."""
        return read.execute(_OTHERS, {"account": account, "channel": channel, "since": since}).scalar_one()

    @transaction
    def edit(self, write: sa.Connection, account: str, channel: str, message_id: str, lines: Sequence[str]) -> bool:
        """Replace the text of a message. Returns False if it isn't remembered."""
        which = _in(memory, account, channel) & (memory.c.message_id == message_id)
        return bool(write.execute(memory.update().where(which).values(lines=written(lines))).rowcount)

    @transaction
    def delete(self, write: sa.Connection, account: str, channel: str, message_ids: Sequence[str]) -> None:
        """Forget messages; those that still wait for a verdict are declined."""
        ids = list(message_ids)
        write.execute(memory.delete().where(_in(memory, account, channel), memory.c.message_id.in_(ids)))
        gone = {"verdict": "declined", "reason": "deleted", "settled_at": self.database.clock()}
        waits = _in(inbox, account, channel) & inbox.c.verdict.is_(None)
        write.execute(inbox.update().where(waits, inbox.c.message_id.in_(ids)).values(gone))

    @transaction
    def reset(self, write: sa.Connection, account: str, channel: str) -> int:
        """Forget a channel: what was said there, and what is about to be said. Its history is not asked for again.
        Returns how many messages went."""
        gone = write.execute(memory.delete().where(_in(memory, account, channel)))
        write.execute(answers.delete().where(_in(answers, account, channel)))
        unsent = _in(outbox, account, channel) & (outbox.c.state == "ready")
        write.execute(outbox.update().where(unsent).values(state="failed", text="", said=""))
        insert_new(write, filled, {"account": account, "channel": channel, "at": self.database.clock()})
        return gone.rowcount

    @reading
    def is_filled(self, read: sa.Connection, account: str, channel: str) -> bool:
        """Return whether a channel's history was read."""
        return read.execute(sa.select(filled.c.channel).where(_in(filled, account, channel))).first() is not None

    @reading
    def oldest_id(self, read: sa.Connection, account: str, channel: str) -> str | None:
        """Return the id of the oldest remembered message of a channel."""
        query = sa.select(memory.c.message_id).where(_in(memory, account, channel)).order_by(memory.c.id).limit(1)
        return read.execute(query).scalar()

    @transaction
    def fill(self, write: sa.Connection, account: str, channel: str, messages: Sequence[InboundMessage]) -> None:
        """Remember what was said before the first message that was heard, oldest first. History comes before all that
        was heard, so its rows count down from zero."""
        low = write.execute(sa.select(sa.func.min(memory.c.id))).scalar()
        number = min(0, int(low or 0))
        for message in reversed(messages):
            number -= 1
            if message.name is not None:
                keep_participant(write, message)
            values = {name: getattr(message, name) for name in ("account", "channel", "message_id", "author_id", "at")}
            insert_new(write, memory, {**values, **columns_of(message), "id": number})
        insert_new(write, filled, {"account": account, "channel": channel, "at": self.database.clock()})


def columns_of(message: InboundMessage) -> dict[str, Any]:
    """Return what memory keeps of a message's content."""
    return {
        "speaker": message.speaker,
        "lines": written(message.lines),
        "reply_to": message.reply_to,
        "to_persona": message.to_persona,
    }


def _in(table: sa.Table, account: str, channel: str) -> sa.ColumnElement[bool]:
    return (table.c.account == account) & (table.c.channel == channel)


def _remembered(rows: Iterable[Sequence[Any]]) -> list[HistoryMessage]:
    return [
        HistoryMessage(message_id, author_id, speaker, lines_of(lines), at, reply_to, bool(to_persona))
        for message_id, author_id, speaker, lines, at, reply_to, to_persona in rows
    ]


# On the way of every message: put together once.
_HERE = (memory.c.account == bindparam("account")) & (memory.c.channel == bindparam("channel"))
_THIS = sa.select(memory.c.id).where(_HERE, memory.c.message_id == bindparam("message_id")).scalar_subquery()
_SAID = sa.select(*columns(memory, *HistoryMessage.__dataclass_fields__)).where(_HERE).limit(bindparam("most"))
_LATEST = _SAID.order_by(memory.c.id.desc())
_UP_TO = _LATEST.where(memory.c.id <= _THIS)
_AFTER = _SAID.where(memory.c.id > _THIS).order_by(memory.c.id)
_OWN = _LATEST.where(memory.c.author_id == "")
_OTHERS = sa.select(sa.func.count()).where(_HERE, memory.c.author_id != "", memory.c.at > bindparam("since"))
