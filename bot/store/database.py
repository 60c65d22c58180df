"""The database under the store: SQLite or PostgreSQL, brought to the current schema. Each step is one function of a
connection and runs whole in a thread: one for all that write, one or a few for those that read beside it."""

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.store.address import engine_at
from bot.store.step_queue import Outcome, StepQueue
from persona.errors import UserError

MIGRATIONS = Path(__file__).parent.parent / "migrations"
NEWEST = max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*_*.py"))
READERS = 4  # threads that wait for PostgreSQL; SQLite computes here, and one does that as fast
READ_TOGETHER = 8  # steps that SQLite reads before anybody is told: a few milliseconds
WRITTEN_TOGETHER = 64  # steps in one transaction at most

_decode = json.JSONDecoder().raw_decode  # thrice as fast as json.loads, which looks for blanks around a text

T = TypeVar("T")
Step = Callable[[sa.Connection], T]


@dataclass(frozen=True, slots=True)
class Write:
    """A step that writes. is_synced: whether nobody may be told before it would survive a power cut."""

    step: Step[Any]
    is_synced: bool


class Database:
    """An open database. clock: UTC seconds. Its writers take turns, so that SQLite never meets itself locked."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self.on_fault: Callable[[str], object] = lambda _reason: None  # called with the reason of every failure
        self.clock = clock
        self.is_sqlite = engine.dialect.name == "sqlite"  # a file
        self._looking = engine if self.is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writing = Lock()
        self._kept: dict[str, sa.Connection] = {}  # SQLite's stay open: to open one takes as long as to read
        self._sync_mode = True  # of SQLite's writing connection: a commit waits for the disk
        self._is_unsynced = False  # a transaction was committed that may not have reached the disk
        self._writes = StepQueue[Write](
            "store-writer", self._write_together, together=WRITTEN_TOGETHER, rest=self._sync
        )
        together, threads = (READ_TOGETHER, 1) if self.is_sqlite else (1, READERS)
        self._reads = StepQueue[Step[Any]]("store-reader", self._read_all, together=together, threads=threads)

    @classmethod
    async def open(cls, url: str, folder: Path, clock: Callable[[], float] = time.time) -> "Database":
        """Return the database at `url`, brought to the current schema. folder: what a relative SQLite path is relative
        to. Raises UserError if it can't be opened."""
        shown = url.split("@")[-1]  # what stands before it may be a password
        database = cls(engine_at(url, shown, folder), clock)
        if database.is_sqlite:
            _keep_private(Path(str(database.engine.url.database)))
        try:
            await database.write(_bring_up)
        except (SQLAlchemyError, OSError) as error:
            await database.close()
            raise UserError(
                f"the store {shown} can't be opened ({reason_of(error)}); look at its folder, disk and rights, or at "
                "[store] url"
            ) from error
        except BaseException:
            await database.close()
            raise
        return database

    async def write(self, step: Step[T], *, is_synced: bool = True) -> T:
        """Run `step` in one transaction and return its result. A step that has begun is finished even if its caller is
        cancelled; one that still waits for its turn is dropped with it. Steps that wait at the same time share a transaction, and
        may be run twice if that fails: they do nothing but read and write.

        is_synced: False does not wait for the disk. Everybody sees what was written, and a process that is killed loses
        nothing; it is on the disk with the next synced step, or a tenth of a second later. A power cut before may undo it.
        """
        result: T = await self._writes.run(Write(step, is_synced))
        return result

    async def read(self, step: Step[T]) -> T:
        """Run `step`, which must change nothing, and return its result. It waits for no writer, and each of its queries
        sees what is committed by then."""
        result: T = await self._reads.run(step)
        return result

    async def empty_log(self) -> None:
        """Empty SQLite's write-ahead log, which still holds what was deleted."""
        if self.is_sqlite:
            await asyncio.to_thread(self._empty_log)

    async def close(self) -> None:
        """Finish what has begun, then close every connection."""
        await asyncio.to_thread(self._close)

    def _write_together(self, writes: Sequence[Write]) -> list[Outcome]:
        """Carry steps out in one transaction: under load, syncing each to the disk takes most of the time. If anything
        fails, nothing happened, and each is carried out by itself."""
        with self._writing:
            if len(writes) > 1:
                with suppress(Exception):  # whose fault it is shows when each is carried out by itself
                    with self._begun(any(write.is_synced for write in writes)) as connection:
                        results = [write.step(connection) for write in writes]
                    return [(result, None) for result in results]
            return [self._outcome(write.step, self._begun(write.is_synced)) for write in writes]

    def _read_all(self, steps: Sequence[Step[Any]]) -> list[Outcome]:
        return [
            self._outcome(step, self._open("reader") if self.is_sqlite else self._looking.connect()) for step in steps
        ]

    @contextmanager
    def _open(self, name: str) -> Iterator[sa.Connection]:
        """Yield a connection of SQLite's, which stays open unless something fails."""
        if name not in self._kept:
            self._kept[name] = self.engine.connect()
        try:
            yield self._kept[name]
        except BaseException:
            self._kept.pop(name).close()
            if name == "writer":
                self._sync_mode = True  # as a connection is opened
            raise

    @contextmanager
    def _begun(self, is_synced: bool) -> Iterator[sa.Connection]:
        """Yield a transaction that writes. We begin SQLite's ourselves: its driver begins one only before the first change
        of a row, so a killed migration would be left half-done, and a write would fail if another process wrote
        meanwhile."""
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                if not is_synced:  # PostgreSQL writes it within three wal_writer_delay, 0.6 s
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield connection
            return
        with self._open("writer") as connection, connection.begin():
            if is_synced != self._sync_mode:
                connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if is_synced else 'NORMAL'}")
                self._sync_mode = is_synced
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
        self._is_unsynced = not is_synced  # a sync is of the whole log

    def _sync(self) -> None:
        """Bring to the disk what was committed without waiting for it. A checkpoint syncs SQLite's log before it copies from
        it."""
        if not self.is_sqlite or not self._is_unsynced:
            return
        with self._writing:
            _, error = self._outcome(_checkpoint, self._open("writer"))
            self._is_unsynced = error is not None

    def _outcome(self, step: Step[Any], opening: AbstractContextManager[sa.Connection]) -> Outcome:
        """Carry one step out."""
        try:
            with opening as connection:
                return step(connection), None
        except BaseException as error:
            self._tell_fault(error)
            return None, error

    def _tell_fault(self, error: BaseException) -> None:
        if isinstance(error, SQLAlchemyError | OSError | sqlite3.Error):
            self.on_fault(fault_of(error))

    def _empty_log(self) -> None:
        with self._writing, self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _close(self) -> None:
        self._writes.close()
        self._sync()
        self._reads.close()
        for connection in self._kept.values():
            connection.close()
        self.engine.dispose()


def reason_of(error: BaseException) -> str:
    """Return the database's own words in one line, without the statement and its values."""
    return (str(getattr(error, "orig", error)).splitlines() or [type(error).__name__])[0]


_FAULTS = {  # a word in what the database says, and what it means
    "locked": "locked",
    "busy": "locked",
    "full": "disk full",
    "no space": "disk full",
    "readonly": "read-only",
    "read-only": "read-only",
    "i/o": "disk error",
    "malformed": "damaged",
    "not a database": "damaged",
    "connect": "no connection",
    "terminat": "no connection",
}


def fault_of(error: BaseException) -> str:
    """Return the reason of a failure in a few words of ours, which metrics can bear as a label."""
    said = reason_of(error).lower()
    return next((reason for word, reason in _FAULTS.items() if word in said), "other")


def columns(table: sa.Table, *names: str) -> tuple[sa.Column[Any], ...]:
    """Return these columns of a table, in this order."""
    return tuple(table.c[name] for name in names)


def lines_of(written: str) -> tuple[str, ...]:
    """Return the lines that `written` stored."""
    return tuple(_decode(written)[0]) if written else ()


def written(lines: Sequence[str]) -> str:
    """Return lines as the store keeps them: JSON in ASCII, so that any text can be stored."""
    return json.dumps(list(lines))


def _keep_private(path: Path) -> None:
    """Let nobody else read the database; SQLite gives the files beside it the same mode."""
    with suppress(OSError):  # what can't be opened is told in a moment
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)


def _checkpoint(connection: sa.Connection) -> None:
    with connection.begin():
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").all()


def _bring_up(connection: sa.Connection) -> None:
    if _revision(connection) != NEWEST:
        from bot.store.migrating import migrate

        migrate(connection, MIGRATIONS)


def _revision(connection: sa.Connection) -> str:
    """Return the last migration that the database has seen; empty if the database is new."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or "")
