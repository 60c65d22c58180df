"""Uploads take the next folder of $COLAB_UPLOADS, in order of names, into the working directory; downloads go into
$COLAB_DOWNLOADS."""

import os
import shutil
from pathlib import Path


def upload() -> dict[str, bytes]:
    """What a user picked in the browser, by name; it lies in the working directory too."""
    folder = min(Path(os.environ["COLAB_UPLOADS"]).iterdir())
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    for path in folder.iterdir():
        shutil.copy(path, path.name)
    shutil.rmtree(folder)
    return files


def download(name: str) -> None:
    """Hands a file to the browser."""
    shutil.copy(name, os.environ["COLAB_DOWNLOADS"])
