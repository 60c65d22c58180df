"""One process an account: two would answer twice. A lock on a file here, and one in PostgreSQL where the store is shared
between machines; both end with the process."""

import fcntl
import hashlib
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from bot.store.database import Database
from persona.fault import StandingFault


class Claims:
    """The accounts that this process speaks for. folder: where the lock files lie."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._held = AsyncExitStack()

    async def claim(self, account: str) -> None:
        """Take an account. Raises StandingFault where another process has it."""
        self._held.enter_context(self._file(account))
        if not self._database.is_sqlite:
            connection = await self._held.enter_async_context(self._database.engine.connect())
            key = int.from_bytes(hashlib.sha256(account.encode()).digest()[:8], signed=True)
            taken = await connection.execute(sa.select(sa.func.pg_try_advisory_lock(key)))
            if not taken.scalar():
                raise StandingFault(f"another process already speaks for {account} from this store; stop it first")
            await connection.commit()  # the lock is the session's, not the transaction's

    async def close(self) -> None:
        """Let go of all of them."""
        await self._held.aclose()

    def _file(self, account: str) -> IO[str]:
        path = self._folder / f".{account.replace(':', '-')}.lock"
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StandingFault(f"another process already speaks for {account}; stop it first ({path})") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock
