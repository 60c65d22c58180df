"""The database under the store: SQLite or PostgreSQL, brought to the current schema, one writer at a time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from persona.fault import Fault, SettingsFault

MIGRATIONS = Path(__file__).parent.parent / "migrations"
NEWEST = max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*_*.py"))
BUSY_SECONDS = 10  # how long SQLite waits for another writer


class Database:
    """An open database. clock: UTC seconds. Writers of one process take turns, so that SQLite never meets itself
    locked."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self.clock = clock
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, folder: Path, clock: Callable[[], float] = time.time) -> "Database":
        """The database at `url`, brought to the current schema. folder: what a relative SQLite path is relative to.
        Raises Fault where it can't be opened."""
        shown = url.split("@")[-1]  # what stands before it may be a password
        engine = _engine(url, shown, folder)
        try:
            async with _begun(engine) as connection:
                await connection.run_sync(_bring_up)
        except (SQLAlchemyError, OSError) as error:
            await engine.dispose()
            raise Fault(
                f"the store {shown} can't be opened ({reason_of(error)}); look at its folder, disk and rights, or at "
                "[store] url"
            ) from error
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine, clock)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction."""
        async with self._writing, _begun(self.engine) as connection:
            yield connection

    async def rows(self, query: sa.Executable) -> list[tuple[Any, ...]]:
        """What a query finds."""
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    def insert(self, table: sa.Table) -> Any:
        """The dialect's own insert, which knows conflicts."""
        return (sqlite if self.is_sqlite else postgresql).insert(table)

    def insert_new(self, table: sa.Table, values: Mapping[str, Any]) -> Any:
        """An insert that leaves a row alone which is there already."""
        return self.insert(table).values(**values).on_conflict_do_nothing()

    def upsert(self, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
        """An insert that overwrites a row which is there already."""
        statement = self.insert(table).values(**key, **values)
        return statement.on_conflict_do_update(index_elements=list(key), set_=dict(values))


@asynccontextmanager
async def _begun(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that writes. SQLite's is begun by us: its driver would begin one only before the first change of a
    row, which leaves a migration that is killed half-done, and fails where another process wrote meanwhile."""
    async with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def reason_of(error: Exception) -> str:
    """What the database said, in a line; without the statement and what it was to write."""
    return (str(getattr(error, "orig", error)).splitlines() or [type(error).__name__])[0]


def columns(table: sa.Table, *names: str) -> tuple[sa.Column[Any], ...]:
    """Some columns of a table, in this order."""
    return tuple(table.c[name] for name in names)


def lines_of(written: str) -> tuple[str, ...]:
    """Lines as the store writes them."""
    return tuple(json.loads(written)) if written else ()


def written(lines: Sequence[str]) -> str:
    """How the store writes lines: JSON in ASCII, so that nothing anybody types can fail to be stored."""
    return json.dumps(list(lines))


def _engine(url: str, shown: str, folder: Path) -> AsyncEngine:
    try:
        if url.startswith("sqlite"):
            engine = create_async_engine(_with_driver(url, folder), connect_args={"timeout": BUSY_SECONDS})
            sa.event.listen(engine.sync_engine, "connect", _tune_sqlite)
            return engine
        return create_async_engine(_with_driver(url, folder), pool_pre_ping=True)
    except ModuleNotFoundError as error:
        if error.name == "asyncpg":
            raise SettingsFault(
                f"[store] url: {shown} is PostgreSQL, which needs 'pip install -r requirements-postgres.txt'"
            ) from None
        raise _unknown(shown, error) from None
    except SQLAlchemyError as error:
        raise _unknown(shown, error) from None


def _unknown(shown: str, error: Exception) -> SettingsFault:
    return SettingsFault(
        f"[store] url: {shown} is no database alterego can open ({type(error).__name__}); use sqlite:/// or postgresql://"
    )


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
    """WAL lets readers in while one writes; FULL makes a commit survive a power cut; what is deleted is overwritten."""
    connection.isolation_level = None  # no transactions of the driver's own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _bring_up(connection: sa.Connection) -> None:
    if _revision(connection) != NEWEST:
        from bot.store.migrating import migrate

        migrate(connection, MIGRATIONS)


def _revision(connection: sa.Connection) -> str:
    """The last migration that the database has seen; "" where it is new."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or "")
