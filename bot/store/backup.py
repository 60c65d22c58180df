"""A copy of the store while it is in use."""

import re
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from persona.atomic import replacing
from persona.errors import SettingsError, UserError

_DATED = re.compile(r"alterego-\d{8}-\d{6}\.db")  # what --keep may remove


def back_up(url: str, folder: Path, target: Path) -> int:
    """Copy the SQLite store at `url` into `target`, whole or not at all, while a daemon writes to it. folder: what a
    relative path is relative to. Returns its size in bytes. Raises UserError if it can't."""
    if not url.startswith("sqlite:///"):
        raise SettingsError("'bot backup' copies SQLite stores; back PostgreSQL up with pg_dump (see docs/backup.md)")
    source = folder / url.removeprefix("sqlite:///")
    if not source.is_file():
        raise UserError(f"there is no store at {source} yet; start the bot once, or look at [store] url")
    if target.exists():
        raise SettingsError(f"{target} exists; name a new file, so that no older backup is overwritten")
    if not target.parent.is_dir():
        raise SettingsError(f"{target.parent} is no folder; make it, or name another")
    try:
        with replacing(target, overwrite=False) as draft:
            _copy(source, draft)
    except sqlite3.Error as error:
        raise UserError(
            f"the store at {source} can't be copied ({error}); look at the disk, then run it again"
        ) from error
    return target.stat().st_size


def back_up_into(url: str, folder: Path, target: Path, keep: int, now: datetime) -> tuple[Path, int]:
    """Copy the store at `url` into a new file of the folder `target`, and remove the oldest of its backups beyond `keep`.

    now: UTC; the file is called after it. Returns the file and its size in bytes. Raises UserError as `back_up` does.
    """
    if not target.is_dir():
        raise SettingsError(f"--keep takes a folder, and {target} is not one; make it first")
    file = target / f"alterego-{now:%Y%m%d-%H%M%S}.db"
    size = back_up(url, folder, file)
    backups = sorted(path for path in target.glob("alterego-*.db") if _DATED.fullmatch(path.name))
    for old in backups[:-keep]:
        old.unlink(missing_ok=True)
    return file, size


def _copy(source: Path, draft: Path) -> None:
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as store, closing(sqlite3.connect(draft)) as copy:
        store.backup(copy)  # in one step: a snapshot, whatever is written meanwhile
        copy.execute("PRAGMA journal_mode=DELETE")
        result = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if result != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {result}")
    for leftover in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{draft}{leftover}").unlink()
