"""Files, folders and links that appear whole or not at all, and are still there after a power cut."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from persona.errors import SettingsError, UserError

PRIVATE_FILE = 0o600


@contextmanager
def replacing(target: Path, *, mode: int = PRIVATE_FILE, overwrite: bool = True) -> Iterator[Path]:
    """Yield an empty file beside `target` to write to, which takes its place at the end and is removed if writing fails.

    Raises SettingsError for a place where no file can be, and FileExistsError if `target` is there and may not be overwritten.
    """
    if target.is_dir():
        raise SettingsError(f"{target} is a folder; name the file to write")
    _require_parent(target)
    fresh = _beside(target)
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE))
        yield fresh
        fresh.chmod(mode)
        sync(fresh)
        if not overwrite:
            target.touch(exist_ok=False)  # claims the name; a hard link would do, but not on every file system
        fresh.replace(target)
        sync(target.absolute().parent)
    finally:
        fresh.unlink(missing_ok=True)


def write_whole(target: Path, pieces: Iterable[str], *, mode: int = PRIVATE_FILE, overwrite: bool = True) -> None:
    """Write `pieces` to `target` as UTF-8. Raises as `replacing` does."""
    with replacing(target, mode=mode, overwrite=overwrite) as fresh, fresh.open("w", encoding="utf-8") as file:
        file.writelines(pieces)


def replace_link(link: Path, target: str) -> None:
    """Make `link` a symbolic link to `target`, whatever it led to before."""
    fresh = _beside(link)
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
    sync(link.absolute().parent)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield a folder beside `target` to fill, which takes its name at the end. Raises UserError if something is there."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{target} is there already; name a folder that is not, or empty it")
    _require_parent(target)
    fresh = _beside(target)
    fresh.mkdir()
    try:
        yield fresh
        if target.is_dir():
            target.rmdir()
        move_folder(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def move_folder(fresh: Path, target: Path) -> Path:
    """Give a finished folder its name once all that is in it is on the disk. Raises OSError if the name is taken."""
    sync_tree(fresh)
    moved = fresh.rename(target)
    sync(target.absolute().parent)
    return moved


def sync_tree(folder: Path) -> None:
    """Wait until a folder and everything in it is on the disk."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink():
            sync(path)


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}-{os.getpid()}")


def _require_parent(target: Path) -> None:
    if not target.absolute().parent.is_dir():
        raise SettingsError(f"there is no folder {target.parent}; make it, or name another place")
