"""Brings a database to the current schema. Apart from the database: most starts find it there, and need no Alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from persona.errors import PermanentError

_LOCK = 0x616C7465  # PostgreSQL's advisory lock for migrations: two bots may start at once


def migrate(connection: sa.Connection, scripts: Path) -> None:
    """Run what is missing of `scripts`. Raises PermanentError if the database is ahead of them."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise PermanentError(
            f"the store was written by a newer alterego ({error}); update alterego, or restore a backup"
        ) from None
