"""The outbox: posts to be made, each a row from which its fate can be read."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, columns, lines_of, written
from bot.store.records import Part, Post
from bot.store.schema import inbox, memory, outbox

OPEN = ("ready", "sending")
HANDED_IN = "studio:"  # how the origin begins of a post that the daemon didn't put here itself


class Outbox:
    """Posts wait, are sent, or fail."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, account: str, channel: str, origin: str, parts: Sequence[Part]) -> list[Post]:
        """Posts that answer nothing. Returns the new ones: the same origin twice makes none."""
        async with self._database.write() as write:
            return await insert_posts(write, self._database, account, channel, origin, parts, "")

    async def unsent(self, account: str) -> list[Post]:
        """The posts that are ready, or were being sent when the process ended, oldest first."""
        return await self._posts(outbox.c.account == account, outbox.c.state.in_(OPEN))

    async def handed_in(self, account: str) -> list[Post]:
        """The posts that another process put here for this account (see HANDED_IN) and that are ready, oldest first."""
        theirs = outbox.c.origin.startswith(HANDED_IN, autoescape=True)
        return await self._posts(outbox.c.account == account, outbox.c.state == "ready", theirs)

    async def _posts(self, *which: sa.ColumnElement[bool]) -> list[Post]:
        query = sa.select(*columns(outbox, *Post.__dataclass_fields__)).where(*which).order_by(outbox.c.id)
        rows = [dict(zip(Post.__dataclass_fields__, row, strict=True)) for row in await self._database.rows(query)]
        return [Post(**{**row, "said": lines_of(row["said"])}) for row in rows]

    async def begin(self, post: Post) -> bool:
        """Note that a post is about to be sent. False where it has met its fate already."""
        async with self._database.write() as write:
            found = await write.execute(
                outbox.update().where(outbox.c.id == post.id, outbox.c.state.in_(OPEN)).values(state="sending")
            )
            return bool(found.rowcount)

    async def sent(self, post: Post, message_id: str, speaker: str) -> None:
        """Note that a post was made, and remember it as the persona's own words."""
        async with self._database.write() as write:
            done = {"state": "sent", "message_id": message_id, "text": "", "said": ""}
            row = await write.execute(
                outbox.update().where(outbox.c.id == post.id).values(done).returning(outbox.c.channel)
            )
            said: dict[str, Any] = {"account": post.account, "channel": row.scalar_one(), "message_id": message_id}
            said |= {"author_id": "", "speaker": speaker, "lines": written(post.said), "at": self._database.clock()}
            await write.execute(self._database.insert_new(memory, said))

    async def doubt(self, post: Post) -> None:
        """Note that nobody can know whether a post was made: it is uncertain, and so is the answer it is part of."""
        async with self._database.write() as write:
            await _end(write, outbox.c.id == post.id, "uncertain")
            await _judge(write, post, "uncertain", "result unknown")

    async def fail(self, post: Post, verdict: str, reason: str) -> None:
        """Note that a post, and with it the rest of its answer, will not be made. An answer of which nothing was said
        was none: its message gets this verdict instead."""
        here = outbox.c.channel == sa.select(outbox.c.channel).where(outbox.c.id == post.id).scalar_subquery()
        rest = here & (outbox.c.account == post.account) & (outbox.c.origin == post.origin)
        async with self._database.write() as write:
            await _end(write, rest & (outbox.c.part >= post.part) & outbox.c.state.in_(OPEN), "failed")
            if post.part == 0:
                await _judge(write, post, verdict, reason)

    async def origin_of(self, account: str, channel: str, message_id: str) -> str | None:
        """What a post of ours came from."""
        query = sa.select(outbox.c.origin).where(
            outbox.c.account == account, outbox.c.channel == channel, outbox.c.message_id == message_id
        )
        rows = await self._database.rows(query)
        return str(rows[0][0]) if rows else None


def answer_to(message_id: Any) -> Any:
    """The origin of the posts that answer a message. Not the number of its row: SQLite gives that again once the row is
    purged or forgotten, and the new answer would pass for the old one."""
    return "inbox:" + message_id


async def insert_posts(
    write: AsyncConnection,
    database: Database,
    account: str,
    channel: str,
    origin: str,
    parts: Sequence[Part],
    answers: str,
) -> list[Post]:
    """Put posts into the outbox inside a transaction. answers: the id of the message they answer, "" for none."""
    posts: list[Post] = []
    now = database.clock()
    for number, part in enumerate(parts):
        values: dict[str, Any] = {"account": account, "channel": channel, "origin": origin, "part": number, "at": now}
        values |= {"text": part.text, "reply_to": answers if number == 0 else "", "after": answers, "state": "ready"}
        row = {**values, "said": written(part.said)}
        added = (await write.execute(database.insert_new(outbox, row).returning(outbox.c.id))).first()
        if added:
            posts.append(Post(id=int(added.id), said=part.said, **values))
    return posts


async def _end(write: AsyncConnection, which: sa.ColumnElement[bool], state: str) -> None:
    await write.execute(outbox.update().where(which).values(state=state, text="", said=""))


async def _judge(write: AsyncConnection, post: Post, verdict: str, reason: str) -> None:
    which = (inbox.c.account == post.account) & (answer_to(inbox.c.message_id) == post.origin)
    here = inbox.c.channel == sa.select(outbox.c.channel).where(outbox.c.id == post.id).scalar_subquery()
    await write.execute(inbox.update().where(which, here).values(verdict=verdict, reason=reason))
