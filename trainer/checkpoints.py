"""Where an interrupted training goes on: its last checkpoint that was written whole."""

import json
import shutil
from pathlib import Path

KEPT = 2  # the best and the last
WORK = ".training"
_STATE = "trainer_state.json"  # the file that transformers' Trainer writes last


def work_folder(home: Path, key: str) -> Path:
    """The folder of the training called `key` in `home` (adapters/<name>); those of other trainings are removed."""
    folder = home / WORK / key
    folder.mkdir(parents=True, exist_ok=True)
    for other in (home / WORK).iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def last_whole(folder: Path) -> Path | None:
    """The latest checkpoint in `folder`; what a killed process left half-written is removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]), reverse=True)
    for checkpoint in found:
        if _is_whole(checkpoint):
            return checkpoint
        shutil.rmtree(checkpoint)
    return None


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
