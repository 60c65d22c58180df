"""What the daemon must not forget: inbox, memory, outbox, watermarks, the next tweet. SQL, one transaction a step."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.schema import accounts, inbox, memory, outbox, quarantine, schedule, speakers, watermarks
from persona.fault import Fault, SettingsFault

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 10  # how long SQLite waits for another writer


@dataclass(frozen=True, slots=True)
class Heard:
    """A message to commit. speaker: the key it is written under. wanted: it waits for a verdict."""

    account: str
    channel: str
    message_id: str
    author_id: str
    speaker: str
    lines: tuple[str, ...]
    at: float
    is_dm: bool = False
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the inbox without a verdict."""

    id: int
    account: str
    channel: str
    message_id: str
    author_id: str
    is_dm: bool
    at: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """A message of a channel's memory."""

    message_id: str
    author_id: str
    speaker: str
    lines: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who bears a speaker key in a channel. name: as they call themselves."""

    speaker: str
    name: str


@dataclass(frozen=True, slots=True)
class Post:
    """A row of the outbox. state: ready, sending, sent, uncertain or failed."""

    id: int
    account: str
    channel: str
    origin: str
    part: int
    text: str
    reply_to: str
    after: str
    state: str


class Store:
    """The open store. Writers take turns, so that SQLite never meets itself locked."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, folder: Path) -> "Store":
        """The store at `url`, brought to the current schema. folder: what a relative SQLite path is relative to.
        Raises Fault where it can't be opened."""
        shown = url.split("@")[-1]  # what stands before it may be a password
        try:
            engine = create_async_engine(
                _with_driver(url, folder), connect_args={"timeout": BUSY_SECONDS} if url.startswith("sqlite") else {}
            )
        except (SQLAlchemyError, ImportError) as error:
            raise SettingsFault(
                f"[store] url: {shown} is no database alterego can open ({type(error).__name__}); use sqlite:/// or postgresql://"
            ) from None
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine.sync_engine, "connect", _tune_sqlite)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_migrate)
        except (SQLAlchemyError, OSError) as error:
            await engine.dispose()
            reason = str(getattr(error, "orig", error)).splitlines()[0]
            raise Fault(
                f"the store {shown} can't be opened ({reason}); look at its folder, disk and rights, or at [store] url"
            ) from error
        return cls(engine)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        async with self._writing, self._engine.begin() as connection:
            yield connection

    async def _rows(self, query: sa.Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        async with self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    async def commit(self, heard: Heard) -> int | None:
        """Keep a message, and move the watermark with it. Returns the id of its new inbox row, None where it wants no
        verdict or was known already."""
        async with self._write() as write:
            place = {"account": heard.account, "channel": heard.channel}
            known = {**place, "message_id": heard.message_id, "author_id": heard.author_id, "at": heard.at}
            await write.execute(
                _insert_new(write, memory, {**known, "speaker": heard.speaker, "lines": json.dumps(heard.lines)})
            )
            await write.execute(_upsert(write, watermarks, place, {"message_id": heard.message_id}))
            if not heard.wanted:
                return None
            added = await write.execute(
                _insert_new(write, inbox, {**known, "is_dm": heard.is_dm}).returning(inbox.c.id)
            )
            row = added.first()
            return int(row.id) if row else None

    async def waiting(self, account: str) -> list[Waiting]:
        """The inbox rows without a verdict, oldest first."""
        columns = (inbox.c[name] for name in ("id", "account", "channel", "message_id", "author_id", "is_dm", "at"))
        query = sa.select(*columns).where(inbox.c.account == account, inbox.c.verdict.is_(None)).order_by(inbox.c.id)
        return [Waiting(*row) for row in await self._rows(query)]

    async def remembered(self, account: str, channel: str, message_id: str, most: int) -> list[Remembered]:
        """The last messages of a channel up to and with `message_id`, oldest first."""
        here = (memory.c.account == account) & (memory.c.channel == channel)
        last = sa.select(memory.c.id).where(here, memory.c.message_id == message_id).scalar_subquery()
        columns = (memory.c[name] for name in ("message_id", "author_id", "speaker", "lines", "at"))
        query = sa.select(*columns).where(here, memory.c.id <= last).order_by(memory.c.id.desc()).limit(most)
        return [
            Remembered(row[0], row[1], row[2], tuple(json.loads(row[3])), row[4])
            for row in reversed(await self._rows(query))
        ]

    async def settle(self, waiting: Waiting, verdict: str, reason: str, texts: Sequence[str] = ()) -> list[Post]:
        """Record a verdict, and the posts it brings, in one transaction. Returns the posts."""
        async with self._write() as write:
            values = {"verdict": verdict, "reason": reason, "settled_at": time.time()}
            await write.execute(inbox.update().where(inbox.c.id == waiting.id).values(values))
            return await self._posts(
                write, waiting.account, waiting.channel, f"inbox:{waiting.id}", texts, waiting.message_id
            )

    async def schedule_tweet(
        self, name: str, due_at: float, texts: Mapping[tuple[str, str], Sequence[str]], origin: str
    ) -> list[Post]:
        """Move the next due time and put a tweet into the outbox of its targets (account, channel), in one transaction."""
        async with self._write() as write:
            await write.execute(_upsert(write, schedule, {"name": name}, {"due_at": due_at}))
            posts: list[Post] = []
            for (account, channel), parts in texts.items():
                posts += await self._posts(write, account, channel, origin, parts, "")
            return posts

    async def _posts(
        self, write: AsyncConnection, account: str, channel: str, origin: str, texts: Sequence[str], answers: str
    ) -> list[Post]:
        posts: list[Post] = []
        for part, text in enumerate(texts):
            values: dict[str, Any] = {
                "account": account,
                "channel": channel,
                "origin": origin,
                "part": part,
                "text": text,
            }
            values |= {"reply_to": answers if part == 0 else "", "after": answers, "state": "ready"}
            added = (
                await write.execute(_insert_new(write, outbox, {**values, "at": time.time()}).returning(outbox.c.id))
            ).first()
            if added:
                posts.append(Post(id=int(added.id), **values))
        return posts

    async def unsent(self, account: str) -> list[Post]:
        """The posts that are ready, or were being sent when the process ended, oldest first."""
        columns = (outbox.c[name] for name in Post.__dataclass_fields__)
        query = (
            sa.select(*columns)
            .where(outbox.c.account == account, outbox.c.state.in_(("ready", "sending")))
            .order_by(outbox.c.id)
        )
        return [Post(*row) for row in await self._rows(query)]

    async def mark(self, post: Post, state: str) -> None:
        """Note that a post is ready, being sent, or failed."""
        async with self._write() as write:
            await write.execute(outbox.update().where(outbox.c.id == post.id).values(state=state))

    async def sent(self, post: Post, message_id: str, speaker: str, lines: Sequence[str]) -> None:
        """Note that a post was made, and remember it as the persona's own words."""
        async with self._write() as write:
            await write.execute(
                outbox.update().where(outbox.c.id == post.id).values(state="sent", message_id=message_id, text="")
            )
            said = {
                "account": post.account,
                "channel": post.channel,
                "message_id": message_id,
                "author_id": "",
                "at": time.time(),
            }
            await write.execute(
                _insert_new(write, memory, {**said, "speaker": speaker, "lines": json.dumps(list(lines))})
            )

    async def doubt(self, post: Post) -> None:
        """Note that nobody can know whether a post was made: it is uncertain, and so is the answer it is part of."""
        async with self._write() as write:
            await write.execute(outbox.update().where(outbox.c.id == post.id).values(state="uncertain"))
            kind, _, row = post.origin.partition(":")
            if kind == "inbox":
                await write.execute(
                    inbox.update().where(inbox.c.id == int(row)).values(verdict="uncertain", reason="result unknown")
                )

    async def last_spoke(self, account: str, channel: str) -> float:
        """When the persona last spoke in a channel, UTC seconds; 0 for never."""
        query = sa.select(sa.func.max(memory.c.at)).where(
            memory.c.account == account, memory.c.channel == channel, memory.c.author_id == ""
        )
        return float((await self._rows(query))[0][0] or 0.0)

    async def due_at(self, name: str) -> float | None:
        """When the job called `name` is next due, UTC seconds."""
        rows = await self._rows(sa.select(schedule.c.due_at).where(schedule.c.name == name))
        return float(rows[0][0]) if rows else None

    async def bearers(self, account: str, channel: str) -> dict[str, Bearer]:
        """Everybody seen in a channel, by author id."""
        query = sa.select(speakers.c.author_id, speakers.c.speaker, speakers.c.name).where(
            speakers.c.account == account, speakers.c.channel == channel
        )
        return {str(row[0]): Bearer(str(row[1]), str(row[2])) for row in await self._rows(query)}

    async def keep_bearer(self, account: str, channel: str, author_id: str, bearer: Bearer) -> None:
        """Write an author under this key in this channel from now on."""
        async with self._write() as write:
            place = {"account": account, "channel": channel, "author_id": author_id}
            await write.execute(_upsert(write, speakers, place, {"speaker": bearer.speaker, "name": bearer.name}))

    async def watermarks(self, account: str) -> dict[str, str]:
        """The last committed message id of each channel."""
        query = sa.select(watermarks.c.channel, watermarks.c.message_id).where(watermarks.c.account == account)
        return {str(row[0]): str(row[1]) for row in await self._rows(query)}

    async def keep_connected(self, account: str, at: float) -> None:
        """Note until when an account heard everything, UTC seconds."""
        async with self._write() as write:
            await write.execute(_upsert(write, accounts, {"account": account}, {"connected_at": at}))

    async def connected_at(self, account: str) -> float | None:
        """Until when an account heard everything; None for a new one."""
        rows = await self._rows(sa.select(accounts.c.connected_at).where(accounts.c.account == account))
        return float(rows[0][0]) if rows else None

    async def quarantine(self, account: str, content: str, reason: str) -> None:
        """Put an unreadable update away."""
        async with self._write() as write:
            await write.execute(
                quarantine.insert().values(account=account, content=content, reason=reason, at=time.time())
            )

    async def verdicts(self) -> dict[str, int]:
        """How many messages met each verdict; "waiting" for those without."""
        query = sa.select(inbox.c.verdict, sa.func.count()).group_by(inbox.c.verdict)
        return {str(row[0] or "waiting"): int(row[1]) for row in await self._rows(query)}

    async def purge(self, keep_days: float) -> int:
        """Forget what is older than `keep_days`, but nothing that is still to be answered or sent. Returns how many
        rows went."""
        before = time.time() - keep_days * 86400
        async with self._write() as write:
            gone = [
                await write.execute(memory.delete().where(memory.c.at < before)),
                await write.execute(inbox.delete().where(inbox.c.settled_at < before)),
                await write.execute(
                    outbox.delete().where(outbox.c.at < before, outbox.c.state.notin_(("ready", "sending")))
                ),
                await write.execute(quarantine.delete().where(quarantine.c.at < before)),
            ]
        return sum(result.rowcount for result in gone)


def _with_driver(url: str, folder: Path) -> str:
    if url.startswith("sqlite:///"):
        path = folder / url.removeprefix("sqlite:///")
        if not path.parent.is_dir():
            raise Fault(f"[store] url: {path.parent} is no folder; make it, or put the store elsewhere")
        return f"sqlite+aiosqlite:///{path}"
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+asyncpg://" + url.removeprefix(plain)
    return url


def _tune_sqlite(connection: Any, _record: object) -> None:
    """WAL lets readers in while one writes; FULL makes a commit survive a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _insert(connection: AsyncConnection, table: sa.Table) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _insert_new(connection: AsyncConnection, table: sa.Table, values: Mapping[str, Any]) -> Any:
    """An insert that leaves a row alone which is there already."""
    return _insert(connection, table).values(**values).on_conflict_do_nothing()


def _upsert(connection: AsyncConnection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    statement = _insert(connection, table).values(**key, **values)
    return statement.on_conflict_do_update(index_elements=list(key), set_=dict(values))
