"""Where exports lie: in what the user names, or in the usual places, which are looked through one entry at a time."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.errors import UserError
from trainer.progress import Bars
from trainer.sources.files.tree import Refuse
from trainer.sources.registry import SOURCES, Export, find

# What lies in alterego's own folder and is no export of the user's, though readers would read some of it.
_OWN = frozenset("adapters bench bot corpus docs examples notebooks persona site systemd tests trainer".split())


@dataclass(frozen=True, slots=True)
class Found:
    """A file, folder or archive that holds exports. path: as [data] sources will name it."""

    path: Path
    exports: tuple[Export, ...]

    @property
    def formats(self) -> list[str]:
        """The names of the formats in it, each once."""
        return list(dict.fromkeys(export.source.name for export in self.exports))


def usual_places() -> list[Path]:
    """Where browsers put downloads, and the folder one stands in unless that is one's home."""
    here, home = Path.cwd(), Path.home()
    return [place for place in (home / "Downloads", here) if place.is_dir() and place != home]


def look(named: Sequence[Path], places: Sequence[Path], bars: Bars) -> list[Found]:
    """What holds exports: of what is named each as a whole; where nothing is, the entries of `places`.

    Raises UserError where a named one doesn't exist, or nothing in them is an export.
    """
    refused: list[str] = []
    candidates = list(named) or [entry for place in places for entry in _entries(place)]
    found: list[Found] = []
    with bars.task("looking for exports", len(candidates)) as advance:
        for path in candidates:
            if exports := (_held if named else _held_perhaps)(path, refused.append):
                found.append(Found(path, exports))
            advance(1)
    for sentence in refused if named else ():
        bars.say(sentence)
    if not found:
        where = ", ".join(map(str, named or places)) or "no place to look in"
        raise UserError(
            f"{where}: no export that alterego can read; name the folders or files that hold some. It reads "
            f"{', '.join(source.name for source in SOURCES)}; docs/exports.md says how to get them"
        )
    return found


def _held(path: Path, refuse: Refuse) -> tuple[Export, ...]:
    """The exports that `path` holds. Raises UserError where nothing is there, or settings can't name it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UserError(
            f"the name of {os.fsencode(path)!r} isn't UTF-8, so settings can't hold it; rename it"
        ) from None
    return tuple(find(path, refuse))


def _held_perhaps(path: Path, refuse: Refuse) -> tuple[Export, ...]:
    """The same of what nobody named: none where it can't be opened, or would block whoever opens it."""
    try:
        return _held(path, refuse) if path.is_file() or path.is_dir() else ()
    except (UserError, OSError):
        return ()


def _entries(place: Path) -> Iterator[Path]:
    own = (place / "trainer" / "__main__.py").is_file()
    for entry in sorted(place.iterdir()):
        if not (entry.name.startswith(".") or (own and entry.name in _OWN)):
            yield entry
