"""What was said in each channel, for the next answer."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bot.store.database import Database, columns, lines_of, written
from bot.store.people import keep_bearer
from bot.store.records import Heard, Remembered
from bot.store.schema import answers, filled, inbox, memory, outbox


class Memory:
    """Messages by channel; no query reaches over two of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remembered(self, account: str, channel: str, message_id: str, most: int) -> list[Remembered]:
        """The last messages of a channel up to and with `message_id`, oldest first; none where that is gone."""
        here = _in(account, channel)
        last = sa.select(memory.c.id).where(here, memory.c.message_id == message_id).scalar_subquery()
        query = sa.select(*columns(memory, *Remembered.__dataclass_fields__)).where(here, memory.c.id <= last)
        rows = await self._database.rows(query.order_by(memory.c.id.desc()).limit(most))
        return [_remembered(row) for row in reversed(rows)]

    async def following(self, account: str, channel: str, message_id: str, most: int) -> list[Remembered]:
        """The messages of a channel after `message_id`, oldest first."""
        here = _in(account, channel)
        first = sa.select(memory.c.id).where(here, memory.c.message_id == message_id).scalar_subquery()
        query = sa.select(*columns(memory, *Remembered.__dataclass_fields__)).where(here, memory.c.id > first)
        return [_remembered(row) for row in await self._database.rows(query.order_by(memory.c.id).limit(most))]

    async def latest(self, account: str, channel: str, most: int) -> list[Remembered]:
        """The last messages of a channel, oldest first."""
        query = sa.select(*columns(memory, *Remembered.__dataclass_fields__)).where(_in(account, channel))
        rows = await self._database.rows(query.order_by(memory.c.id.desc()).limit(most))
        return [_remembered(row) for row in reversed(rows)]

    async def own(self, account: str, channel: str, most: int) -> list[Remembered]:
        """The persona's last messages in a channel, newest first."""
        query = sa.select(*columns(memory, *Remembered.__dataclass_fields__)).where(
            _in(account, channel), memory.c.author_id == ""
        )
        return [_remembered(row) for row in await self._database.rows(query.order_by(memory.c.id.desc()).limit(most))]

    async def others_since(self, account: str, channel: str, since: float) -> int:
        """How many messages others wrote in a channel since then (UTC seconds)."""
        query = sa.select(sa.func.count()).where(_in(account, channel), memory.c.author_id != "", memory.c.at > since)
        return int((await self._database.rows(query))[0][0])

    async def edit(self, account: str, channel: str, message_id: str, lines: Sequence[str]) -> bool:
        """Remember a message as it reads now. False where it isn't remembered."""
        async with self._database.write() as write:
            which = _in(account, channel) & (memory.c.message_id == message_id)
            done = await write.execute(memory.update().where(which).values(lines=written(lines)))
            return bool(done.rowcount)

    async def delete(self, account: str, channel: str, message_ids: Sequence[str]) -> None:
        """Forget messages; those that still wait for a verdict are declined."""
        async with self._database.write() as write:
            await write.execute(
                memory.delete().where(_in(account, channel), memory.c.message_id.in_(list(message_ids)))
            )
            gone = {"verdict": "declined", "reason": "deleted", "settled_at": self._database.clock()}
            await write.execute(
                inbox.update()
                .where(inbox.c.account == account, inbox.c.channel == channel, inbox.c.verdict.is_(None))
                .where(inbox.c.message_id.in_(list(message_ids)))
                .values(gone)
            )

    async def reset(self, account: str, channel: str) -> int:
        """Forget a channel: what was said there, and what is about to be said. Its history is not asked for again.
        Returns how many messages went."""
        async with self._database.write() as write:
            gone = await write.execute(memory.delete().where(_in(account, channel)))
            await write.execute(answers.delete().where(answers.c.account == account, answers.c.channel == channel))
            here = (outbox.c.account == account) & (outbox.c.channel == channel)
            await write.execute(
                outbox.update().where(here, outbox.c.state == "ready").values(state="failed", text="", said="")
            )
            await write.execute(self._database.insert_new(filled, {"account": account, "channel": channel}))
            return int(gone.rowcount)

    async def is_filled(self, account: str, channel: str) -> bool:
        """Whether a channel's history was asked for."""
        query = sa.select(filled.c.channel).where(filled.c.account == account, filled.c.channel == channel)
        return bool(await self._database.rows(query))

    async def oldest_id(self, account: str, channel: str) -> str | None:
        """The message id of the first message that is remembered of a channel."""
        query = sa.select(memory.c.message_id).where(_in(account, channel)).order_by(memory.c.id).limit(1)
        rows = await self._database.rows(query)
        return str(rows[0][0]) if rows else None

    async def fill(self, account: str, channel: str, heard: Sequence[Heard]) -> None:
        """Remember what was said before the first message that was heard, oldest first. History comes before all that
        was heard, so its rows count down from zero."""
        async with self._database.write() as write:
            low = (await write.execute(sa.select(sa.func.min(memory.c.id)))).scalar()
            number = min(0, int(low or 0))
            for one in reversed(heard):
                number -= 1
                if one.name is not None:
                    await write.execute(keep_bearer(self._database, one))
                values = {name: getattr(one, name) for name in ("account", "channel", "message_id", "author_id", "at")}
                said = {"id": number, "speaker": one.speaker, "lines": written(one.lines)}
                await write.execute(self._database.insert_new(memory, {**values, **said}))
            await write.execute(self._database.insert_new(filled, {"account": account, "channel": channel}))


def _in(account: str, channel: str) -> sa.ColumnElement[bool]:
    return (memory.c.account == account) & (memory.c.channel == channel)


def _remembered(row: tuple[Any, ...]) -> Remembered:
    message_id, author_id, speaker, lines, at = row
    return Remembered(message_id, author_id, speaker, lines_of(lines), at)
