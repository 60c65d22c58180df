"""Find exports: in what the user names, or in the usual folders, entry by entry."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.errors import UserError
from trainer.progress import Bars
from trainer.sources.files.tree import Refuse
from trainer.sources.registry import SOURCES, Export, find

# What lies in alterego's own folder and is no export of the user's, though readers would read some of it.
_OWN_FOLDERS = frozenset("adapters bench bot corpus docs examples notebooks persona site systemd tests trainer".split())


@dataclass(frozen=True, slots=True)
class ExportLocation:
    """A file, folder or archive that holds exports. path: as [data] sources will name it."""

    path: Path
    exports: tuple[Export, ...]

    @property
    def formats(self) -> list[str]:
        """Return the names of the formats in it, each once."""
        return list(dict.fromkeys(export.source.name for export in self.exports))


def usual_folders() -> list[Path]:
    """Return where browsers put downloads, and the current folder unless it is the home folder."""
    here, home = Path.cwd(), Path.home()
    return [place for place in (home / "Downloads", here) if place.is_dir() and place != home]


def find_exports(named: Sequence[Path], places: Sequence[Path], bars: Bars) -> list[ExportLocation]:
    """Return what holds exports: each of `named` as a whole, or if nothing is named the entries of `places`.

    Raises UserError if a named one doesn't exist, or nothing in them is an export.
    """
    refused: list[str] = []
    candidates = list(named) or [entry for place in places for entry in _entries(place)]
    locations: list[ExportLocation] = []
    with bars.task("looking for exports", len(candidates)) as advance:
        for path in candidates:
            if exports := (_exports_in if named else _exports_if_readable)(path, refused.append):
                locations.append(ExportLocation(path, exports))
            advance(1)
    for sentence in refused if named or not locations else ():
        bars.say(sentence)
    if not locations:
        where = (
            ", ".join(map(str, named or places))
            or "the usual places: there is no Downloads, and this is the home folder"
        )
        raise UserError(
            f"no export that alterego can read in {where}; name the folders or files that hold some, and see docs/exports.md "
            f"for how to get them. It reads {', '.join(source.name for source in SOURCES)}"
        )
    return locations


def _exports_in(path: Path, refuse: Refuse) -> tuple[Export, ...]:
    """Return the exports in `path`. Raises UserError if it does not exist or settings can't name it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UserError(
            f"the name of {os.fsencode(path)!r} isn't UTF-8, so settings can't hold it; rename it"
        ) from None
    return tuple(find(path, refuse))


def _exports_if_readable(path: Path, refuse: Refuse) -> tuple[Export, ...]:
    """Return the same for an unnamed path: none if it can't be opened, or is no file that can be read to its end."""
    try:
        return _exports_in(path, refuse) if path.is_file() or path.is_dir() else ()
    except (UserError, OSError):
        return ()


def _entries(place: Path) -> Iterator[Path]:
    own = (place / "trainer" / "__main__.py").is_file()
    for entry in sorted(place.iterdir()):
        if not (entry.name.startswith(".") or (own and entry.name in _OWN_FOLDERS)):
            yield entry
