"""The inbox: what wants a verdict, and which it got."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, columns, written
from bot.store.outbox import answer_to, insert_posts
from bot.store.people import keep_bearer
from bot.store.places import silent_in
from bot.store.records import Answer, Heard, Part, Post, Recent, Situation, Waiting
from bot.store.schema import answers, inbox, memory, watermarks

HOUR, MINUTE = 3600.0, 60.0


class Inbox:
    """Messages come in and are settled; each step is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(self, account: str, heard: Sequence[Heard], marks: dict[str, str]) -> list[Waiting]:
        """Keep messages in their order, and move the watermarks with them. marks: channel -> the last message id that
        was seen there, whoever wrote it. Returns the new rows that want a verdict."""
        async with self._database.write() as write:
            found = [row for one in heard if (row := await self._commit_one(write, one))]
            known = sa.select(watermarks.c.channel, watermarks.c.message_id).where(
                watermarks.c.account == account, watermarks.c.channel.in_(list(marks))
            )
            before = {row.channel: row.message_id for row in await write.execute(known)}
            for channel, message_id in marks.items():
                if _number(message_id) > _number(before.get(channel, "")):  # what is told again moves nothing back
                    place = {"account": account, "channel": channel}
                    await write.execute(self._database.upsert(watermarks, place, {"message_id": message_id}))
        return found

    async def _commit_one(self, write: AsyncConnection, heard: Heard) -> Waiting | None:
        known = {name: getattr(heard, name) for name in ("account", "channel", "message_id", "author_id", "at")}
        if heard.name is not None:
            await write.execute(keep_bearer(self._database, heard))
        said = {"speaker": heard.speaker, "lines": written(heard.lines)}
        await write.execute(self._database.insert_new(memory, {**known, **said}))
        if not heard.called:
            return None
        values = {**known, "is_dm": heard.is_dm, "called": heard.called}
        row = (await write.execute(self._database.insert_new(inbox, values).returning(inbox.c.id))).first()
        return Waiting(id=int(row.id), **values) if row else None

    async def waiting(self, account: str) -> list[Waiting]:
        """The rows without a verdict, oldest first."""
        query = sa.select(*columns(inbox, *Waiting.__dataclass_fields__)).where(
            inbox.c.account == account, inbox.c.verdict.is_(None)
        )
        return [Waiting(*row) for row in await self._database.rows(query.order_by(inbox.c.id))]

    async def settle(
        self,
        waiting: Waiting,
        verdict: str,
        reason: str,
        parts: Sequence[Part] = (),
        *,
        merged: Collection[str] = (),
        answer: Answer | None = None,
    ) -> list[Post]:
        """Record a verdict, and the posts it brings, in one transaction; nothing where the row has one already. merged:
        message ids of the same author that this answers too. Returns the posts."""
        now = self._database.clock()
        async with self._database.write() as write:
            values = {"verdict": verdict, "reason": reason, "settled_at": now}
            open_ = inbox.c.verdict.is_(None)
            done = await write.execute(inbox.update().where(inbox.c.id == waiting.id, open_).values(values))
            if not done.rowcount:
                return []
            await self._merge(write, waiting, merged, now)
            origin = answer_to(waiting.message_id)
            if answer and parts:
                kept = {"prompt": answer.prompt, "completion": answer.completion, "adapter": answer.adapter}
                place = {"account": waiting.account, "channel": waiting.channel, "origin": origin}
                authors = written(answer.authors)
                await write.execute(
                    self._database.insert_new(answers, {**place, **kept, "authors": authors, "at": now})
                )
            return await insert_posts(
                write, self._database, waiting.account, waiting.channel, origin, parts, waiting.message_id
            )

    async def _merge(self, write: AsyncConnection, into: Waiting, merged: Collection[str], now: float) -> None:
        if merged:
            values = {"verdict": "merged", "reason": f"into {into.message_id}", "settled_at": now}
            same = (inbox.c.account == into.account) & (inbox.c.channel == into.channel)
            await write.execute(
                inbox.update()
                .where(same, inbox.c.author_id == into.author_id, inbox.c.verdict.is_(None))
                .where(inbox.c.message_id.in_(merged))
                .values(values)
            )

    async def situation(self, waiting: Waiting) -> Situation:
        """How things stand where `waiting` was said, in one question."""
        now = self._database.clock()
        row = sa.select(sa.func.count()).where(inbox.c.id == waiting.id, inbox.c.verdict.is_(None))
        spoke = sa.select(sa.func.max(memory.c.at)).where(
            memory.c.account == waiting.account, memory.c.channel == waiting.channel, memory.c.author_id == ""
        )
        quiet = sa.select(sa.func.count()).where(silent_in(waiting.account, waiting.channel, now))
        counts = [one.scalar_subquery() for one in self._recently(waiting, now)]
        query = sa.select(*(one.scalar_subquery() for one in (row, quiet, spoke)), *counts)
        is_open, silent, last, channel, author, minute, at = (await self._database.rows(query))[0]
        recent = Recent(int(channel), int(author), int(minute), float(at or 0))
        return Situation(bool(is_open), bool(silent), float(last or 0), recent)

    def _recently(self, waiting: Waiting, now: float) -> list[sa.Select[Any]]:
        """Answers of the last hour: in the channel, to the author, to the author within a minute, and the last one."""
        answered = (inbox.c.account == waiting.account) & (inbox.c.verdict == "answered")
        lately = answered & (inbox.c.settled_at > now - HOUR)
        theirs = lately & (inbox.c.author_id == waiting.author_id)
        count = sa.select(sa.func.count())
        return [
            count.where(lately, inbox.c.channel == waiting.channel),
            count.where(theirs),
            count.where(theirs, inbox.c.settled_at > now - MINUTE),
            sa.select(sa.func.max(inbox.c.settled_at)).where(theirs),
        ]

    async def verdicts(self) -> dict[str, int]:
        """How many messages met each verdict; "waiting" for those without."""
        query = sa.select(inbox.c.verdict, sa.func.count()).group_by(inbox.c.verdict)
        return {str(row[0] or "waiting"): int(row[1]) for row in await self._database.rows(query)}

    async def oldest(self) -> float | None:
        """When the message was written that waits longest; None where none waits."""
        rows = await self._database.rows(sa.select(sa.func.min(inbox.c.at)).where(inbox.c.verdict.is_(None)))
        return float(rows[0][0]) if rows[0][0] is not None else None


def _number(message_id: str) -> tuple[int, str]:
    """Orders message ids, which are numbers of any length."""
    return len(message_id), message_id
