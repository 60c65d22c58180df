"""Which bundles hold what should be forgotten: a note beside them, since a sealed bundle is never written to."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from persona.atomic import write_whole
from persona.errors import UserError

_FILE = "retrain.json"


def marked(home: Path) -> dict[str, str]:
    """Return the versions in `home` (adapters/<name>) that are to be trained anew, and since when."""
    try:
        content = json.loads((home / _FILE).read_text(encoding="utf-8"))
        return {str(version): str(since) for version, since in content["versions"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UserError(
            f"{home / _FILE} can't be read ({error}); remove it and run 'python -m trainer train'"
        ) from error


def mark(home: Path, versions: Iterable[str], at: datetime) -> None:
    """Note that these versions are to be trained anew; what was noted before stays. Written whole or not at all."""
    _write(home, dict.fromkeys(versions, at.isoformat(timespec="seconds")) | marked(home))


def unmark(home: Path, versions: Collection[str]) -> None:
    """Take versions off the note; without a note nothing is written."""
    before = marked(home)
    if not before.keys().isdisjoint(versions):
        _write(home, {version: since for version, since in before.items() if version not in versions})


def _write(home: Path, versions: Mapping[str, str]) -> None:
    write_whole(home / _FILE, [json.dumps({"versions": versions}, indent=1) + "\n"], mode=0o644)
