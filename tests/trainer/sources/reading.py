"""Reads what a test has written, as an import would."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from trainer.sources.message import Message, Reject
from trainer.sources.registry import find

FIXTURES = Path(__file__).parents[2] / "fixtures"  # invented exports, a folder a format or era


def read(path: Path, only: str = "") -> tuple[list[Message], list[Reject]]:
    """All messages and rejects of what lies at `path`; fails where no format claims it. only: the one format to read."""
    exports = [export for export in find(path) if only in ("", export.source.name)]
    assert exports, f"nothing recognised {path}"
    found = [item for export in exports for item in export.read(lambda _: None)]
    return [one for one in found if isinstance(one, Message)], [one for one in found if isinstance(one, Reject)]


def zipped(path: Path, members: Mapping[str, str]) -> Path:
    """A zip with these members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def written(folder: Path, members: Mapping[str, str]) -> Path:
    """A folder with these files."""
    for name, text in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
