"""Files and folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from persona.errors import SettingsError, UserError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file beside `target` to write to, readable by nobody else, which takes its place at the end; gone where writing
    failed. Raises SettingsError for a place where no file can be."""
    if target.is_dir():
        raise SettingsError(f"{target} is a folder; name the file to write")
    _require_parent(target)
    fresh = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield fresh
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def write_whole(target: Path, pieces: Iterable[str]) -> None:
    """Write `pieces` to `target`."""
    with replacing(target) as fresh, fresh.open("w", encoding="utf-8") as file:
        file.writelines(pieces)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` to fill, which takes its name at the end. Raises UserError where something is there."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{target} is there already; name a folder that is not, or empty it")
    _require_parent(target)
    fresh = target.with_name(f".{target.name}-{os.getpid()}")
    fresh.mkdir()
    try:
        yield fresh
        if target.is_dir():
            target.rmdir()
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _require_parent(target: Path) -> None:
    if not target.absolute().parent.is_dir():
        raise SettingsError(f"there is no folder {target.parent}; make it, or name another place")
