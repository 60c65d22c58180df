"""From [store] url to SQLAlchemy's engine: which driver, and how it is set."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from persona.config import Settings
from persona.credentials import secret
from persona.errors import SettingsError, UserError

BUSY_SECONDS = 10  # how long SQLite waits for another writer
CONNECT_SECONDS = 10  # how long PostgreSQL may take to let us in
DEAD_SECONDS = 30  # how long its machine may be silent: libpq's own answer is that of TCP, a quarter of an hour


def store_url(settings: Settings) -> str:
    """Return where the store is: the secret STORE_URL if there is one, else [store] url."""
    return secret("STORE_URL", settings) or settings.store.url


def has_store(url: str, folder: Path) -> bool:
    """Return whether there is a store at `url`; a server's is found out by connecting. folder: what a relative path is
    relative to."""
    return not url.startswith("sqlite:///") or _file(url.removeprefix("sqlite:///"), folder).exists()


def engine_at(url: str, shown: str, folder: Path) -> sa.Engine:
    """Return the engine for `url`; nothing is opened yet. shown: the url without its password. folder: what a relative
    SQLite path is relative to. Raises UserError if it leads nowhere."""
    try:
        engine = _engine(url, folder)
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise SettingsError(
            f"[store] url: {shown} is PostgreSQL, which needs 'pip install -r requirements-postgres.txt'"
        ) from None
    except (SQLAlchemyError, ValueError):
        engine = None
    if engine is None:
        raise SettingsError(
            f"[store] url: {shown} is no database alterego can open; use sqlite:///FILE or postgresql://USER@HOST/NAME"
        )
    return engine


def is_there(url: str, folder: Path) -> bool:
    """Return whether there is a store to open: a SQLite file that is not there yet would be made."""
    return not url.startswith("sqlite:///") or (folder / url.removeprefix("sqlite:///")).is_file()


def _engine(url: str, folder: Path) -> sa.Engine | None:
    if url.startswith("sqlite:///"):
        return _sqlite(_file(url.removeprefix("sqlite:///"), folder))
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return _postgresql(f"postgresql+psycopg://{url.removeprefix(plain)}")
    return None


def _file(path: str, folder: Path) -> Path:
    file = folder / path
    if not file.parent.is_dir():
        raise UserError(f"[store] url: {file.parent} is no folder; make it, or put the store elsewhere")
    return file


def _sqlite(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})
    sa.event.listen(engine, "connect", _tune)
    return engine


def _tune(connection: Any, _record: object) -> None:
    """WAL lets readers in while one writes; FULL makes a commit survive a power cut; what is deleted is overwritten."""
    connection.isolation_level = None  # no transactions of the driver's own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgresql(url: str) -> sa.Engine:
    """Asked whether it lives before each use, so that a server may go away and come back. pool_size 0 is no limit: there
    are never more connections than threads and claims."""
    patience = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": DEAD_SECONDS // 3,
        "tcp_user_timeout": 1000 * DEAD_SECONDS,
    }
    return sa.create_engine(url, connect_args=patience, pool_pre_ping=True, pool_size=0)
