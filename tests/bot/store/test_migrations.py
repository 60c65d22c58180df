"""Stores of earlier releases are brought along, with everything in them."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from bot.store import BotStore, Participant
from bot.store.database import MIGRATIONS, NEWEST

FIRST = "0001"  # the first released schema
ROWS = [
    "insert into inbox (account, channel, message_id, author_id, is_dm, at)"
    " values ('discord:1', 'discord:c', '5', 'u', false, 7.0)",
    "insert into inbox (account, channel, message_id, author_id, is_dm, at, verdict)"
    " values ('discord:1', 'discord:c', '4', 'u', false, 6.0, 'answered')",
    "insert into memory (account, channel, message_id, author_id, speaker, lines, at)"
    " values ('discord:1', 'discord:c', '5', 'u', 'BOB', '[\"hi\"]', 7.0)",
    "insert into outbox (account, channel, origin, part, text, reply_to, after, state, at)"
    " values ('discord:1', 'discord:c', 'inbox:2', 0, 'sure', '4', '4', 'ready', 6.0)",
    "insert into speakers (account, channel, author_id, speaker, name) values ('discord:1', 'discord:c', 'u', 'BOB', 'Bob')",
    "insert into watermarks (account, channel, message_id) values ('discord:1', 'discord:c', '5')",
    "insert into schedule (name, due_at) values ('tweets', 99.0)",
]


def first_release(url: str) -> None:
    """A store as the first release left it."""
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
    with engine.begin() as connection:
        for row in ROWS:
            connection.execute(sa.text(row))
    engine.dispose()


async def test_a_store_of_the_first_release_is_brought_along(tmp_path: Path) -> None:
    """What waited still waits, what was remembered is remembered, and a second start changes nothing."""
    first_release(f"sqlite:///{tmp_path / 'store.db'}")
    for _ in range(2):
        store = await BotStore.open("sqlite:///store.db", tmp_path)
        assert [(one.message_id, one.trigger) for one in await store.inbox.waiting("discord:1")] == [("5", "mention")]
        assert [one.lines for one in await store.memory.latest("discord:1", "discord:c", 5)] == [("hi",)]
        (post,) = await store.outbox.unsent("discord:1")
        assert (post.text, post.said, post.origin) == ("sure", (), "inbox:4")
        assert await store.people.in_channel("discord:1", "discord:c", ["u"]) == {"u": Participant("BOB", "Bob")}
        assert await store.channels.watermarks("discord:1") == {"discord:c": "5"}
        assert await store.timetable.due_at("tweets") == 99.0
        await store.close()


async def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    """The next start, with the old version or a mended one, finds it whole."""
    path = tmp_path / "store.db"
    first_release(f"sqlite:///{path}")
    with sqlite3.connect(path) as raw:
        raw.execute("create table feedback (x)")  # stands in the way
        before = list(raw.iterdump())
    with pytest.raises(Exception, match="already exists"):
        await BotStore.open("sqlite:///store.db", tmp_path)
    with sqlite3.connect(path) as raw:
        assert list(raw.iterdump()) == before


def test_what_the_store_takes_for_the_newest_migration_is_the_newest() -> None:
    """Only where a database is at another one Alembic is asked."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST
