"""A part of the store. Its methods are steps: functions of a connection that run whole in a thread of the database.
Callers await them without passing that connection."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from bot.store.database import Database


class Repository:
    """A part of the store, over the one database."""

    def __init__(self, database: Database) -> None:
        self.database = database


R = TypeVar("R", bound=Repository)
P = ParamSpec("P")
T = TypeVar("T")
_Step = Callable[Concatenate[R, sa.Connection, P], T]
_Awaited = Callable[Concatenate[R, P], Coroutine[Any, Any, T]]


def transaction(step: _Step[R, P, T]) -> _Awaited[R, P, T]:
    """Return a step that changes what is kept: all of it, or nothing."""

    @wraps(step)
    async def awaited(repository: R, /, *args: P.args, **named: P.kwargs) -> T:
        return await repository.database.write(lambda write: step(repository, write, *args, **named))

    return awaited


def unsynced_transaction(step: _Step[R, P, T]) -> _Awaited[R, P, T]:
    """Return a step that changes what is kept without waiting for the disk: a power cut right after it may undo it, a
    killed process can't."""

    @wraps(step)
    async def awaited(repository: R, /, *args: P.args, **named: P.kwargs) -> T:
        return await repository.database.write(lambda write: step(repository, write, *args, **named), is_synced=False)

    return awaited


def reading(step: _Step[R, P, T]) -> _Awaited[R, P, T]:
    """Return a step that only looks."""

    @wraps(step)
    async def awaited(repository: R, /, *args: P.args, **named: P.kwargs) -> T:
        return await repository.database.read(lambda read: step(repository, read, *args, **named))

    return awaited
