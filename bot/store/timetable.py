"""When the next tweet is due, and what the last ones said."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.outbox import insert_posts
from bot.store.records import Part, Post
from bot.store.schema import schedule, tweeted

KEPT = 200  # tweets against which a new one is compared


class Timetable:
    """The rows of the timeline."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due_at(self, name: str) -> float | None:
        """When the job called `name` is next due, UTC seconds."""
        rows = await self._database.rows(sa.select(schedule.c.due_at).where(schedule.c.name == name))
        return float(rows[0][0]) if rows else None

    async def postpone(self, name: str, due_at: float) -> None:
        """Set when a job is next due."""
        async with self._database.write() as write:
            await write.execute(self._database.upsert(schedule, {"name": name}, {"due_at": due_at}))

    async def tweet(
        self, name: str, due_at: float, text: str, parts: Mapping[tuple[str, str], Sequence[Part]], origin: str
    ) -> list[Post]:
        """Move the next due time, keep the tweet's text, and put it into the outbox of its targets (account, channel),
        in one transaction."""
        async with self._database.write() as write:
            await write.execute(self._database.upsert(schedule, {"name": name}, {"due_at": due_at}))
            await self._keep(write, text)
            posts: list[Post] = []
            for (account, channel), some in parts.items():
                posts += await insert_posts(write, self._database, account, channel, origin, some, "")
            return posts

    async def keep(self, text: str) -> None:
        """Keep the text of a tweet that was asked for, so that it isn't said again."""
        async with self._database.write() as write:
            await self._keep(write, text)

    async def _keep(self, write: AsyncConnection, text: str) -> None:
        await write.execute(tweeted.insert().values(text=text, at=self._database.clock()))
        kept = sa.select(tweeted.c.id).order_by(tweeted.c.id.desc()).limit(KEPT).subquery()
        await write.execute(tweeted.delete().where(tweeted.c.id.notin_(sa.select(kept.c.id))))

    async def tweeted(self) -> list[str]:
        """The last tweets, newest first."""
        query = sa.select(tweeted.c.text).order_by(tweeted.c.id.desc()).limit(KEPT)
        return [str(row[0]) for row in await self._database.rows(query)]
