"""Resuming a training from its last complete checkpoint, and the lock that keeps a second training away."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from persona.errors import UserError

MAX_CHECKPOINTS = 2  # the best and the last
WORK = ".training"
CHECKPOINTS = "checkpoint-*"  # folders, as transformers' Trainer names them
_STATE = "trainer_state.json"  # the file that transformers' Trainer writes last


@contextlib.contextmanager
def training_lock(home: Path) -> Iterator[None]:
    """Hold the lock of trainings that write into `home`; it ends with the process.

    Raises UserError if another runs, in a terminal or from the studio: they would remove each other's checkpoints."""
    home.mkdir(parents=True, exist_ok=True)
    folder = os.open(home, os.O_RDONLY)
    try:
        _lock(folder, home)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, home: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"a training writes into {home} already; wait for it, or stop it") from None
    except OSError:  # a network's file system that can't lock a folder
        return


def work_folder(home: Path, key: str) -> Path:
    """Return the folder of the training called `key` in `home` (adapters/<name>); remove those of other trainings."""
    folder = home / WORK / key
    folder.mkdir(parents=True, exist_ok=True)
    for other in (home / WORK).iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def last_complete(folder: Path) -> Path | None:
    """Return the latest complete checkpoint in `folder`; remove what a killed process left half-written."""
    checkpoints = sorted(folder.glob(CHECKPOINTS), key=lambda path: int(path.name.split("-")[1]), reverse=True)
    for checkpoint in checkpoints:
        if _is_complete(checkpoint):
            return checkpoint
        shutil.rmtree(checkpoint)
    return None


def _is_complete(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
