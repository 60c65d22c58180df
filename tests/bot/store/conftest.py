"""The store on both databases: SQLite always, PostgreSQL where it is installed."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store import BotStore, InboundMessage
from bot.store.schema import metadata
from tests.postgres_server import folder_of_programs, postgres

ACCOUNT, CHANNEL = "discord:1", "discord:c"


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def heard(number: int, author: str = "u", **more: object) -> InboundMessage:
    """A message of an invented author."""
    fields = {"account": ACCOUNT, "channel": CHANNEL, "speaker": "BOB", "at": float(number), **more}
    return InboundMessage(message_id=str(number), author_id=author, lines=(f"line {number}",), **fields)  # type: ignore[arg-type]


async def commit(store: BotStore, *messages: InboundMessage) -> list[int]:
    """Commit as the inbox writer does; returns the ids of the rows that want a verdict."""
    marks = {one.channel: one.message_id for one in messages}
    return [row.id for row in await store.inbox.commit(ACCOUNT, messages, marks)]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real server, started once."""
    if folder_of_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres() as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[BotStore]:
    url = "sqlite:///store.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = await BotStore.open(url, tmp_path, clock)
    if not opened.database.is_sqlite:
        every = ", ".join(metadata.tables)
        await opened.database.write(lambda write: write.execute(sa.text(f"truncate {every} restart identity")))
    yield opened
    await opened.close()
