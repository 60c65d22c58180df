"""The inbox: messages that need a verdict, and the verdicts."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from bot.store.channels import SILENT, keep_surroundings
from bot.store.database import columns
from bot.store.inserts import insert_numbered, upsert
from bot.store.kept_messages import keep_message
from bot.store.outbox import DRAFTED, HELD, answer_to, insert_posts
from bot.store.records import Answer, InboundMessage, OutgoingPart, PendingMessage, PolicyContext, Post, Recent
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import IS_OWN, IS_UNPROMPTED, inbox, memory, watermarks

HOUR, MINUTE = 3600.0, 60.0


class Inbox(Repository):
    """Messages come in and are settled; each step is one transaction."""

    @transaction
    def commit(
        self,
        write: sa.Connection,
        account: str,
        messages: Sequence[InboundMessage],
        marks: dict[str, str],
        inside: Mapping[str, Sequence[str]] | None = None,
    ) -> list[PendingMessage]:
        """Keep messages in their order, and move the watermarks with them. marks: channel -> the last message id that
        was seen there, whoever wrote it. inside: what channels lie in, if that is news. Returns the new rows that want a
        verdict."""
        now = self.database.clock()
        for channel, places in (inside or {}).items():
            keep_surroundings(write, account, channel, places, now)
        pending = [row for message in messages if (row := _commit_one(write, message))]
        known = write.execute(_MARKED, {"account": account, "channels": list(marks)})
        before = {row.channel: row.message_id for row in known}
        for channel, message_id in marks.items():
            if _number(message_id) > _number(before.get(channel, "")):  # what is told again moves nothing back
                upsert(write, watermarks, {"account": account, "channel": channel, "message_id": message_id, "at": now})
        return pending

    @transaction
    def call(self, write: sa.Connection, message: InboundMessage) -> PendingMessage | None:
        """Let a message that was committed without a trigger ask for an answer after all. None if it has a row already,
        or is not remembered any more."""
        names = ("account", "channel", "message_id")
        here = (memory.c[name] == getattr(message, name) for name in names)
        if write.execute(sa.select(memory.c.id).where(*here)).first() is None:
            return None
        return _insert(write, message)

    @reading
    def waiting(self, read: sa.Connection, account: str) -> list[PendingMessage]:
        """Return the rows without a verdict, oldest first."""
        query = sa.select(*columns(inbox, *PendingMessage.__dataclass_fields__)).where(
            inbox.c.account == account, inbox.c.verdict.is_(None)
        )
        return [PendingMessage(*row) for row in read.execute(query.order_by(inbox.c.id))]

    @transaction
    def settle(
        self,
        write: sa.Connection,
        pending: PendingMessage,
        verdict: str,
        reason: str,
        parts: Sequence[OutgoingPart] = (),
        *,
        merged: Collection[str] = (),
        answer: Answer | None = None,
        draft: tuple[str, OutgoingPart] | None = None,
    ) -> list[Post]:
        """Record a verdict, and the posts it brings, in one transaction; does nothing if the row has one. merged:
        message ids of the same author that this answers too. Returns the posts."""
        now = self.database.clock()
        done = write.execute(_SETTLE, {"row": pending.id, "to": verdict, "why": reason, "now": now})
        if not done.rowcount:
            return []
        _merge(write, pending, merged, now)
        place = {"account": pending.account, "channel": pending.channel, "origin": answer_to(pending.message_id)}
        state, to = HELD if draft else "ready", pending.message_id
        posts = insert_posts(write, **place, parts=parts, answers=to, now=now, state=state, answer=answer)
        if not draft:
            return posts
        shown = f"{DRAFTED}{pending.channel} {pending.message_id}"
        return insert_posts(write, pending.account, draft[0], shown, [draft[1]], now=now)

    @reading
    def policy_context(self, read: sa.Connection, pending: PendingMessage, most: int = 1000) -> PolicyContext:
        """Return what policy must know about a message, in one query. most: answers are counted so far."""
        now = self.database.clock()
        place = {"account": pending.account, "channel": pending.channel, "author_id": pending.author_id}
        times = {"now": now, "hour_ago": now - HOUR, "minute_ago": now - MINUTE}
        row = read.execute(_POLICY_CONTEXT, {**place, **times, "row": pending.id, "most": most}).one()
        is_open, silent, last, channel, author, minute, at, newer, unprompted = row
        recent = Recent(int(channel), int(author), int(minute), float(at or 0), int(unprompted))
        return PolicyContext(bool(is_open), bool(silent), float(last or 0), recent, bool(newer))

    @reading
    def verdicts(self, read: sa.Connection) -> dict[str, int]:
        """Count the messages by verdict; "waiting" for those without."""
        query = sa.select(inbox.c.verdict, sa.func.count()).group_by(inbox.c.verdict)
        return {str(row[0] or "waiting"): int(row[1]) for row in read.execute(query)}

    @reading
    def oldest(self, read: sa.Connection) -> float | None:
        """Return when the oldest waiting message was written; None if none waits."""
        oldest = read.execute(sa.select(sa.func.min(inbox.c.at)).where(inbox.c.verdict.is_(None))).scalar()
        return float(oldest) if oldest is not None else None


def _commit_one(write: sa.Connection, message: InboundMessage) -> PendingMessage | None:
    keep_message(write, message)
    return _insert(write, message) if message.trigger else None


def _insert(write: sa.Connection, message: InboundMessage) -> PendingMessage | None:
    """Add a row for a message that asks for an answer; None if there is one."""
    kept = ("account", "channel", "message_id", "author_id", "at", "due_at")
    known = {name: getattr(message, name) for name in kept}
    values = {**known, "is_dm": message.is_dm, "trigger": message.trigger}
    number = insert_numbered(write, inbox, values)
    return PendingMessage(id=number, **values) if number is not None else None


def _merge(write: sa.Connection, into: PendingMessage, merged: Collection[str], now: float) -> None:
    if merged:
        values = {"verdict": "merged", "reason": f"into {into.message_id}", "settled_at": now}
        same = (inbox.c.account == into.account) & (inbox.c.channel == into.channel)
        write.execute(
            inbox.update()
            .where(same, inbox.c.author_id == into.author_id, inbox.c.verdict.is_(None))
            .where(inbox.c.message_id.in_(merged))
            .values(values)
        )


def _number(message_id: str) -> tuple[int, str]:
    """Orders message ids, which are numbers of any length."""
    return len(message_id), message_id


def _policy_context() -> sa.Select[Any]:
    """Whether a row is open, the channel quiet, when the persona last spoke there; and of the answers of the last hour:
    those in the channel, to the author, to the author within a minute, as far as they are counted; the last one to the
    author; whether a later message of the channel waits; and those answers in the channel for which nobody had asked. Each
    follows an index to a few rows."""

    def count(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
        return sa.select(sa.func.count()).select_from(
            sa.select(inbox.c.id).where(*which).limit(bindparam("most")).subquery()
        )

    ours, here = inbox.c.account == bindparam("account"), inbox.c.channel == bindparam("channel")
    answered, theirs = inbox.c.verdict == "answered", inbox.c.author_id == bindparam("author_id")
    waits = inbox.c.verdict.is_(None) & inbox.c.settled_at.is_(None)
    said_here = (memory.c.account == bindparam("account")) & (memory.c.channel == bindparam("channel"))
    questions = (
        sa.select(sa.func.count()).where(inbox.c.id == bindparam("row"), inbox.c.verdict.is_(None)),
        sa.select(sa.func.count()).where(SILENT),
        sa.select(memory.c.at).where(said_here, IS_OWN).order_by(memory.c.id.desc()).limit(1),
        count(ours, here, answered, inbox.c.settled_at > bindparam("hour_ago")),
        count(ours, theirs, answered, inbox.c.settled_at > bindparam("hour_ago")),
        count(ours, theirs, answered, inbox.c.settled_at > bindparam("minute_ago")),
        sa.select(sa.func.max(inbox.c.settled_at)).where(ours, theirs, answered),
        sa.select(sa.exists().where(ours, here, waits, inbox.c.id > bindparam("row"))),
        sa.select(sa.func.count()).where(
            ours, here, IS_UNPROMPTED, answered, inbox.c.settled_at > bindparam("hour_ago")
        ),
    )
    return sa.select(*(question.scalar_subquery() for question in questions))


# On the way of every message: put together once.
_POLICY_CONTEXT = _policy_context()
_SETTLE = (
    inbox.update()
    .where(inbox.c.id == bindparam("row"), inbox.c.verdict.is_(None))
    .values(verdict=bindparam("to"), reason=bindparam("why"), settled_at=bindparam("now"))
)
_MARKED = sa.select(watermarks.c.channel, watermarks.c.message_id).where(
    watermarks.c.account == bindparam("account"), watermarks.c.channel.in_(bindparam("channels", expanding=True))
)
