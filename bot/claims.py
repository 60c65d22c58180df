"""One process an account, since two would answer twice: a lock on a file, and one in PostgreSQL if machines share the
store. Both end with the process."""

import asyncio
import fcntl
import hashlib
import os
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from bot.store.database import Database
from persona.errors import PermanentError


class Claims:
    """The accounts that this process speaks for. folder: where the lock files lie."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._held = ExitStack()

    async def claim(self, account: str) -> None:
        """Take an account. Raises PermanentError if another process has it."""
        self._held.enter_context(self._file(account))
        if not self._database.is_sqlite:
            await asyncio.to_thread(self._lock, account)

    async def close(self) -> None:
        """Let go of all of them."""
        await asyncio.to_thread(self._held.close)

    def _lock(self, account: str) -> None:
        """The lock is the session's: it holds for as long as its connection."""
        connection = self._held.enter_context(self._database.engine.connect())
        key = int.from_bytes(hashlib.sha256(account.encode()).digest()[:8], signed=True)
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar():
            raise PermanentError(f"another process already speaks for {account} from this store; stop it first")
        connection.commit()  # not the transaction's

    def _file(self, account: str) -> IO[str]:
        path = self._folder / f".{account.replace(':', '-')}.lock"
        lock = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")  # noqa: PTH123, SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise PermanentError(f"another process already speaks for {account}; stop it first ({path})") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock
