"""How the database is worked with: steps run whole, in threads of its own, whatever becomes of whoever waits for them."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.claims import Claims
from bot.store import BotStore
from bot.store.schema import filled
from tests.bot.store.conftest import ACCOUNT, CHANNEL, commit, heard


class Held:
    """A step that writes two rows, and waits between them until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, write: sa.Connection) -> None:
        write.execute(filled.insert().values(account=ACCOUNT, channel="one"))
        self.begun.set()
        assert self.go_on.wait(30)
        write.execute(filled.insert().values(account=ACCOUNT, channel="two"))

    async def wait_begun(self) -> None:
        """Until the first row is written."""
        assert await asyncio.to_thread(self.begun.wait, 30)


@contextmanager
def another_process_writes(path: Path) -> Iterator[None]:
    """Somebody else holds the SQLite file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


async def test_a_transaction_whose_caller_is_cancelled_is_whole(store: BotStore) -> None:
    """It runs in a thread, which nobody can stop in the middle; the next one finds all of it."""
    step = Held()
    caller = asyncio.create_task(store.database.write(step))
    await step.wait_begun()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    step.go_on.set()
    assert await store.memory.reset(ACCOUNT, "three") == 0  # comes after it
    assert [await store.memory.is_filled(ACCOUNT, channel) for channel in ("one", "two")] == [True, True]


async def test_a_transaction_that_is_cancelled_before_its_turn_never_happens(store: BotStore) -> None:
    """Nothing of it is there, and those behind it are."""
    step = Held()
    first = asyncio.create_task(store.database.write(step))
    await step.wait_begun()
    second = asyncio.create_task(commit(store, heard(1)))
    third = asyncio.create_task(commit(store, heard(2)))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    step.go_on.set()
    await asyncio.gather(first, third)
    assert [one.message_id for one in await store.memory.latest(ACCOUNT, CHANNEL, 9)] == ["2"]


async def test_closing_waits_for_what_was_begun(store: BotStore) -> None:
    """A commit in hand is not cut off by a daemon that ends."""
    step = Held()
    writing = asyncio.create_task(store.database.write(step))
    await step.wait_begun()
    closing_ = asyncio.create_task(store.close())
    await asyncio.sleep(0.05)
    assert not closing_.done()
    step.go_on.set()
    await asyncio.gather(writing, closing_)
    with store.database.engine.connect() as connection:
        assert len(connection.execute(sa.select(filled.c.channel)).all()) == 2


async def test_a_reader_is_let_in_while_a_writer_writes(store: BotStore) -> None:
    """It sees what is committed, and waits for nobody."""
    await commit(store, heard(1))
    step = Held()
    writing = asyncio.create_task(store.database.write(step))
    await step.wait_begun()
    assert [one.message_id for one in await store.memory.latest(ACCOUNT, CHANNEL, 9)] == ["1"]
    assert not await store.memory.is_filled(ACCOUNT, "one")
    step.go_on.set()
    await writing
    assert await store.memory.is_filled(ACCOUNT, "one")


async def test_what_fails_in_the_middle_leaves_nothing_and_tells_its_caller(store: BotStore) -> None:
    """The error comes out of the thread as it is, and the next transaction begins anew."""

    def fails(write: sa.Connection) -> None:
        for _ in range(2):
            write.execute(filled.insert().values(account=ACCOUNT, channel="one"))

    with pytest.raises(IntegrityError):
        await store.database.write(fails)
    assert not await store.memory.is_filled(ACCOUNT, "one")
    await commit(store, heard(1))
    assert await store.channels.watermarks(ACCOUNT) == {CHANNEL: "1"}


async def test_the_loop_runs_on_while_another_process_holds_the_database(tmp_path: Path) -> None:
    """Were it blocked, nothing could let go of the file before the writer's patience is over."""
    store = await BotStore.open("sqlite:///store.db", tmp_path)
    with another_process_writes(tmp_path / "store.db"):
        writing = asyncio.create_task(commit(store, heard(1)))
        await asyncio.sleep(0.05)
        assert not writing.done()
        assert await store.memory.latest(ACCOUNT, CHANNEL, 9) == []
    await writing
    assert [one.message_id for one in await store.memory.latest(ACCOUNT, CHANNEL, 9)] == ["1"]
    await store.close()


async def test_forgetting_empties_the_log_whatever_was_read_before(tmp_path: Path) -> None:
    """A reader that had not let go of its snapshot would keep the words in the write-ahead log."""
    store = await BotStore.open("sqlite:///store.db", tmp_path)
    await commit(store, heard(1, "4711"))
    await asyncio.gather(*(store.memory.latest(ACCOUNT, CHANNEL, 1) for _ in range(20)))
    await store.people.forget("discord", "4711")
    assert (tmp_path / "store.db-wal").stat().st_size == 0
    await store.close()


async def test_a_server_that_dropped_its_connections_is_found_again(postgres_url: str, tmp_path: Path) -> None:
    """PostgreSQL was restarted: the next step takes a new connection; an account that is claimed stays so."""
    store = await BotStore.open(postgres_url, tmp_path)
    claims = Claims(store.database, tmp_path)
    await claims.claim("discord:dropped")
    await store.channels.watermarks(ACCOUNT)
    with closing(psycopg.connect(postgres_url)) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
    await store.channels.keep_connected("discord:dropped", 7.0)
    assert await store.channels.connected_at("discord:dropped") == 7.0
    await claims.close()
    await store.close()


async def test_a_note_is_synced_with_the_next_step_or_at_a_rest(tmp_path: Path) -> None:
    """Nobody waits for the disk then: it is seen at once, and a step that must last takes it along."""
    store = await BotStore.open("sqlite:///store.db", tmp_path)
    statements: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(("PRAGMA", "BEGIN")):
            statements.append(statement)

    sa.event.listen(store.database.engine, "before_cursor_execute", listen)
    step = filled.insert().values(account=ACCOUNT, channel="one")
    await store.database.write(lambda write: write.execute(step), is_synced=False)
    assert await store.memory.is_filled(ACCOUNT, "one")
    relaxed, begun, checkpoint = "PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE", "PRAGMA wal_checkpoint(PASSIVE)"
    async with asyncio.timeout(30):
        while checkpoint not in statements:
            await asyncio.sleep(0.02)
    assert statements == [relaxed, begun, checkpoint]
    await commit(store, heard(1))
    assert statements[3:] == ["PRAGMA synchronous=FULL", begun]
    await asyncio.sleep(0.3)
    assert len(statements) == 5  # nothing is owed to the disk
    await store.close()


async def test_what_shares_a_transaction_with_a_note_is_synced(tmp_path: Path) -> None:
    """The stricter of them counts."""
    store = await BotStore.open("sqlite:///store.db", tmp_path)
    statements: list[str] = []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *words: statements.append(words[2]))
    step = Held()
    first = asyncio.create_task(store.database.write(step, is_synced=False))
    await step.wait_begun()
    note = filled.insert().values(account=ACCOUNT, channel="three")
    others = [
        asyncio.create_task(store.database.write(lambda write: write.execute(note), is_synced=False)),
        asyncio.create_task(commit(store, heard(1))),
    ]
    await asyncio.sleep(0)
    step.go_on.set()
    await asyncio.gather(first, *others)
    assert [each for each in statements if each.startswith("PRAGMA sync")] == [
        "PRAGMA synchronous=NORMAL",
        "PRAGMA synchronous=FULL",
    ]
    assert statements.count("BEGIN IMMEDIATE") == 2
    await store.close()
