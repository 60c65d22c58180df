"""Files that were dropped on the page: where they lie until they are whole, and where they go then. Knows no Gradio."""

import shutil
from collections.abc import Sequence
from pathlib import Path

FOLDER = "exports"  # beside the settings
UNFINISHED = ".studio"  # beside the settings too, so that a whole file only changes its name


def unfinished_folder(config: Path) -> Path:
    """Return where files lie while they arrive."""
    return config.parent / UNFINISHED


def take_in(files: Sequence[Path], config: Path) -> list[str]:
    """Move files into the folder of exports; returns how the settings name them. Nothing that is there is replaced."""
    home = config.parent / FOLDER
    home.mkdir(mode=0o700, exist_ok=True)
    taken: list[str] = []
    for file in files:
        target = _free(home, file.name)
        shutil.move(file, target)
        target.chmod(0o600)
        taken.append(f"{FOLDER}/{target.name}")
    return taken


def sweep(config: Path) -> None:
    """Remove what never became whole, or was never taken in."""
    shutil.rmtree(unfinished_folder(config), ignore_errors=True)


def _free(home: Path, name: str) -> Path:
    """A name in `home` that nothing has yet; suffixes tell formats apart and stay."""
    stem, dot, suffixes = name.lstrip(".").partition(".")
    candidates = (f"{stem}{f'-{number}' if number > 1 else ''}{dot}{suffixes}" for number in range(1, 10_000))
    return home / next(candidate for candidate in candidates if not (home / candidate).exists())
