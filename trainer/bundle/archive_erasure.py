"""Somebody is taken out of what the bundles remember: each archive is made anew without them, and sealed again."""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from persona.archive.index import FILE, Archive, build
from persona.archive.passages import Passage
from persona.bundle import PRIVATE, Bundle, read_seal, replace_sealed, versions
from persona.errors import PermanentError
from persona.transcript import Turn


def erase_from_archives(home: Path, speakers: Collection[str], masked: Callable[[str], str]) -> int:
    """Take people out of the archives of all bundles in `home`; return how many passages held something of them.

    speakers: their keys. masked: puts […] in place of what they are called. An archive that can't be read is removed.
    """
    folders = [home / str(version) for version in versions(home)]
    return sum(_erase(folder, speakers, masked) for folder in folders if (folder / PRIVATE / FILE).is_file())


def _erase(folder: Path, speakers: Collection[str], masked: Callable[[str], str]) -> int:
    path = folder / PRIVATE / FILE
    fresh = path.with_name(f".{FILE}-fresh")
    try:
        bundle = Bundle(folder, read_seal(folder))
    except PermanentError:  # of another version, or broken: nothing speaks with it any more
        path.unlink()
        return 0
    try:
        with closing(Archive.open(path)) as archive:
            left = _Left(archive, speakers, masked)
            build(fresh, left.passages())
        if left.changed:
            replace_sealed(bundle, f"{PRIVATE}/{FILE}", fresh)
        return left.changed
    except PermanentError:
        replace_sealed(bundle, f"{PRIVATE}/{FILE}", None)
        return 0
    finally:
        fresh.unlink(missing_ok=True)


@dataclass(slots=True)
class _Left:
    """What is left of an archive. changed: passages that held something of them."""

    archive: Archive
    speakers: Collection[str]
    masked: Callable[[str], str]
    changed: int = 0

    def passages(self) -> Iterator[Passage]:
        """Yield all passages without them."""
        for passage in self.archive.passages():
            turns = tuple(self._without(turn) for turn in passage.turns if turn.speaker not in self.speakers)
            left = turns if passage.dm not in self.speakers else ()
            self.changed += left != passage.turns
            if left:
                yield replace(passage, turns=left)

    def _without(self, turn: Turn) -> Turn:
        quote = turn.quote
        if quote and quote.speaker in self.speakers:
            quote = None
        elif quote:
            quote = replace(quote, words=self.masked(quote.words))
        return Turn(turn.speaker, tuple(map(self.masked, turn.lines)), quote)
