"""People as the store knows them: how they are written, who opted out, what they rated, and how they are forgotten."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, written
from bot.store.outbox import answer_to
from bot.store.records import Answer, Bearer, Heard, Receipt
from bot.store.schema import answers, bearers, feedback, inbox, knocks, memory, optouts, outbox, quarantine

_MADE = ("prompt", "completion", "adapter", "authors")  # what an answer was made of


class People:
    """Everything that is kept by author. An author is known by platform and id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bearers(self, account: str, channel: str) -> dict[str, Bearer]:
        """Everybody seen in a channel, by author id."""
        query = sa.select(bearers.c.author_id, bearers.c.speaker, bearers.c.name).where(
            bearers.c.account == account, bearers.c.channel == channel
        )
        return {str(row[0]): Bearer(str(row[1]), str(row[2])) for row in await self._database.rows(query)}

    async def opted_out(self, platform: str, author_ids: Collection[str]) -> set[str]:
        """Which of these people want to be neither stored nor answered."""
        query = sa.select(optouts.c.author_id).where(
            optouts.c.platform == platform, optouts.c.author_id.in_(list(author_ids))
        )
        return {str(row[0]) for row in await self._database.rows(query)}

    async def opt_out(self, platform: str, author_id: str) -> Receipt:
        """Leave somebody alone from now on, and forget them."""
        async with self._database.write() as write:
            values = {"platform": platform, "author_id": author_id, "at": self._database.clock()}
            await write.execute(self._database.insert_new(optouts, values))
            receipt = await self._forget(write, platform, author_id)
        await self._empty_log()
        return receipt

    async def opt_in(self, platform: str, author_id: str) -> bool:
        """Listen to somebody again. False where they had not opted out."""
        async with self._database.write() as write:
            gone = await write.execute(
                optouts.delete().where(optouts.c.platform == platform, optouts.c.author_id == author_id)
            )
            return bool(gone.rowcount)

    async def forget(self, platform: str, author_id: str) -> Receipt:
        """Forget what somebody wrote, what they were called, and every prompt that held their words."""
        async with self._database.write() as write:
            receipt = await self._forget(write, platform, author_id)
        await self._empty_log()
        return receipt

    async def _forget(self, write: AsyncConnection, platform: str, author_id: str) -> Receipt:
        async def gone(table: sa.Table, which: sa.ColumnElement[bool]) -> int:
            here = table.c.account.startswith(f"{platform}:", autoescape=True)
            return int((await write.execute(table.delete().where(here, which))).rowcount)

        await self._drop_unsent(write, platform, author_id)
        quoted = written([author_id])[1:-1]
        rated = feedback.c.authors.contains(quoted, autoescape=True) | (feedback.c.author_id == author_id)
        names = await gone(bearers, bearers.c.author_id == author_id)
        names += await gone(knocks, knocks.c.place == f"user:{author_id}")
        return Receipt(
            f"{platform}:{author_id}",
            self._database.clock(),
            messages=await gone(memory, memory.c.author_id == author_id),
            verdicts=await gone(inbox, inbox.c.author_id == author_id),
            names=names,
            feedback=await gone(feedback, rated)
            + await gone(answers, answers.c.authors.contains(quoted, autoescape=True)),
            updates=await gone(quarantine, quarantine.c.content.contains(author_id, autoescape=True)),
        )

    async def _drop_unsent(self, write: AsyncConnection, platform: str, author_id: str) -> None:
        """Answers to them that are not sent yet; a verdict of theirs is about to go with its row."""
        theirs = sa.select(answer_to(inbox.c.message_id)).where(
            inbox.c.account.startswith(f"{platform}:", autoescape=True), inbox.c.author_id == author_id
        )
        await write.execute(
            outbox.update()
            .where(outbox.c.origin.in_(theirs), outbox.c.state == "ready")
            .values(state="failed", text="", said="")
        )

    async def _empty_log(self) -> None:
        """What was deleted from SQLite stands in its write-ahead log until that is emptied."""
        if self._database.is_sqlite:
            async with self._database.engine.connect() as connection:
                await connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def rate(self, account: str, channel: str, origin: str, message_id: str, author_id: str, score: int) -> bool:
        """Keep what somebody thinks of an answer: 1, -1, or 0 to take it back. False where nothing is known of it."""
        place = {"account": account, "channel": channel, "message_id": message_id, "author_id": author_id}
        async with self._database.write() as write:
            if score == 0:
                return await self._unrate(write, place)
            query = sa.select(*(answers.c[name] for name in _MADE)).where(
                answers.c.account == account, answers.c.channel == channel, answers.c.origin == origin
            )
            row = (await write.execute(query)).first()
            if row is None:
                return False
            await self._rate(write, place, dict(zip(_MADE, row, strict=True)), score)
            return True

    async def rate_answer(
        self, account: str, channel: str, message_id: str, author_id: str, answer: Answer, score: int
    ) -> None:
        """The same for an answer that was said where the store doesn't hear."""
        place = {"account": account, "channel": channel, "message_id": message_id, "author_id": author_id}
        made = {name: getattr(answer, name) for name in _MADE} | {"authors": written(answer.authors)}
        async with self._database.write() as write:
            await (self._rate(write, place, made, score) if score else self._unrate(write, place))

    async def _rate(self, write: AsyncConnection, place: dict[str, str], made: dict[str, Any], score: int) -> None:
        values = {**made, "score": score, "at": self._database.clock()}
        await write.execute(self._database.upsert(feedback, place, values))

    async def _unrate(self, write: AsyncConnection, place: dict[str, str]) -> bool:
        which = sa.and_(*(feedback.c[name] == value for name, value in place.items()))
        return bool((await write.execute(feedback.delete().where(which))).rowcount)

    async def knocked(self, account: str, place: str) -> None:
        """Note that somebody who isn't let in wrote. place: `chat:ID` or `user:ID`."""
        async with self._database.write() as write:
            now = {"at": self._database.clock()}
            await write.execute(self._database.upsert(knocks, {"account": account, "place": place}, now))

    async def knocks(self) -> list[tuple[str, str]]:
        """Who knocked, newest first: account and place."""
        query = sa.select(knocks.c.account, knocks.c.place).order_by(knocks.c.at.desc()).limit(20)
        return [(str(row[0]), str(row[1])) for row in await self._database.rows(query)]


def keep_bearer(database: Database, heard: Heard) -> Any:
    """Write an author under this key in this channel from now on."""
    place = {"account": heard.account, "channel": heard.channel, "author_id": heard.author_id}
    return database.upsert(bearers, place, {"speaker": heard.speaker, "name": heard.name})
