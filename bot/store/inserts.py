"""Inserts that know what is there already. Every database has its own, and each is put together once."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_new(write: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Insert a row, and leave alone what is there already."""
    write.execute(_new(write.dialect.name, table), values)


def insert_numbered(write: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> int | None:
    """Insert a row. Returns its id; None if the row exists."""
    return write.execute(_numbered(write.dialect.name, table), values).scalar()


def upsert(write: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Insert a row, and overwrite what is there already under the same primary key."""
    write.execute(_over(write.dialect.name, table), values)


def _insert(dialect: str, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # 2 MiB that most stores never need

    return postgresql.insert(table)


@cache
def _new(dialect: str, table: sa.Table) -> sa.Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _numbered(dialect: str, table: sa.Table) -> sa.Insert:
    return _new(dialect, table).returning(table.c.id)


@cache
def _over(dialect: str, table: sa.Table) -> sa.Insert:
    statement = _insert(dialect, table)
    changed = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
