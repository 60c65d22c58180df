"""Exports -> corpus: read, clean, pseudonymise, merge with what was imported before, save."""

import gc
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from persona.config import Settings
from persona.errors import UserError
from persona.names import normalise
from trainer.corpus.rejects import NAME as REJECTS
from trainer.corpus.rejects import Rejects
from trainer.corpus.row import Row, message_key
from trainer.corpus.store import Corpus, build, load_messages, save, scratch_folder
from trainer.ingest.gathering import DroppedRow, GatheredItem, RewrittenRow, gather
from trainer.ingest.import_counts import ImportCounts
from trainer.ingest.postprocess import postprocess
from trainer.ingest.rows import GatheredRows, with_reactors
from trainer.people.erasure_list import load_erasure_list
from trainer.people.identities import Identity
from trainer.progress import Bars
from trainer.sources.registry import SOURCES, Export, find

REPLIES = "replies.jsonl"
SELF = "Me"  # whoever made an export that doesn't know their name


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the corpus it left."""

    corpus: Corpus
    counts: ImportCounts
    new: int


@dataclass(frozen=True, slots=True)
class ExportPreview:
    """What is in some exports. names: of those who speak there, by identity key, as the exports show them."""

    counts: ImportCounts
    names: dict[str, str]


def import_exports(
    settings: Settings, paths: Sequence[Path], *, fresh: bool, bars: Bars, strict: bool = False
) -> Imported:
    """Read every export in `paths` into the corpus of these settings. fresh: forget what was imported before.

    Raises UserError if there is nothing to read, or nobody in it is the persona; strict: where anything could not be read.
    Nothing is written then.
    """
    with scratch_folder(settings.corpus) as folder, Rejects(folder / REJECTS) as rejects, _no_collection():
        return _import(settings, paths, fresh, bars, strict, rejects)


def preview(settings: Settings, paths: Sequence[Path], bars: Bars) -> ExportPreview:
    """Return what an import of every export in `paths` would read, and what of that its cleaning rules would drop;
    nothing is written. Raises UserError if there is nothing to read."""
    counts = ImportCounts()
    identities: dict[str, Identity] = {}
    with tempfile.TemporaryDirectory(prefix="alterego-") as folder, Rejects(Path(folder) / REJECTS) as rejects:
        _gather(settings, _exports(paths, counts), rejects, identities, set(), counts, bars)
    return ExportPreview(counts, {key: identity.name or SELF for key, identity in identities.items()})


def _import(
    settings: Settings, paths: Sequence[Path], fresh: bool, bars: Bars, strict: bool, rejects: Rejects
) -> Imported:
    counts = ImportCounts()
    exports = _exports([*paths, *_fetched(settings, paths)], counts)
    before = Corpus() if fresh or not (settings.corpus / "messages.parquet").is_file() else load_messages(settings)
    identities = dict(before.identities)
    known = {message_key(row) for row in before.rows}
    new = _gather(settings, exports, rejects, identities, known, counts, bars)
    if strict:
        _require_whole(counts)
    pseudonyms = dict(before.pseudonyms)
    erasure_list = load_erasure_list(settings)
    with bars.task("names, personal data, repetitions", len(new)) as advance:
        processed = postprocess(
            settings, before.rows, new, identities, pseudonyms, before.regions, erasure_list, counts, advance
        )
    del new  # of a message that was rewritten, the words as they were
    corpus = build(settings, processed.rows, processed.identities, pseudonyms, before.splits, processed.regions)
    _require_persona(settings, corpus, counts)
    save(corpus, settings.corpus, rejects.finish(settings.corpus / (os.devnull if fresh else REJECTS)))
    return Imported(corpus, counts, sum(counts.kept.values()))


def _gather(
    settings: Settings,
    exports: Sequence[Export],
    rejects: Rejects,
    identities: dict[str, Identity],
    known: Collection[tuple[str, ...]],
    counts: ImportCounts,
    bars: Bars,
) -> list[Row]:
    """Return what the exports hold that is not `known`. identities: added to."""
    gathered = GatheredRows(known)
    for export, items in gather(exports, settings, identities, rejects.path.parent, bars):
        _take(items, export, gathered, rejects, counts)
    return [with_reactors(row, identities) if row.reactions else row for row in gathered.rows]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no cycles meanwhile: messages hold none, and to look through millions of them takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _fetched(settings: Settings, paths: Sequence[Path]) -> list[Path]:
    """Return the replies that the user fetched, where they lie beside the settings."""
    path = settings.root / REPLIES
    named = {given.resolve() for given in paths}
    return [path] if path.is_file() and path.resolve() not in named and path.parent.resolve() not in named else []


def _exports(paths: Sequence[Path], counts: ImportCounts) -> list[Export]:
    exports: list[Export] = []
    for path in paths:
        refused_before = len(counts.refused)
        in_path = list(find(path, counts.refused.append, counts.unread.append))
        exports += in_path
        if not in_path and len(counts.refused) == refused_before:
            counts.unrecognised.append(str(path))
    if not exports and counts.refused:
        raise UserError("; ".join(counts.refused))
    if not exports:
        which = ", ".join(map(str, paths))
        raise UserError(
            f"{which}: no export that alterego can read; it reads {', '.join(source.name for source in SOURCES)}"
        )
    counts.experimental |= {export.source.name for export in exports if export.source.experimental}
    return exports


def _require_whole(counts: ImportCounts) -> None:
    """What --strict asks for."""
    problems = [
        *(f"{reject.file} at {reject.offset}: {reject.reason}" for reject in counts.rejects[:1]),
        *counts.refused[:1],
        *(f"{leftover.label}: {leftover.reason}" for leftover in counts.unread[:1]),
    ]
    if problems:
        count = counts.rejected + len(counts.refused) + len(counts.unread)
        what = "file" if counts.unread else "passage"
        raise UserError(
            f"{f'1 {what}' if count == 1 else f'{count:,} {what}s'} could not be read, the first: {problems[0]}; nothing was "
            "written; leave out --strict to import the rest"
        )


def _take(
    batches: Iterator[Sequence[GatheredItem]],
    export: Export,
    gathered: GatheredRows,
    rejects: Rejects,
    counts: ImportCounts,
) -> None:
    """Take and count what is in an export; what could not be read is written down."""
    kept: dict[tuple[str, str], int] = {}
    for item in chain.from_iterable(batches):
        if isinstance(item, (Row, RewrittenRow)):  # a union would be made anew for every message
            row = item if isinstance(item, Row) else item.row
            if reason := gathered.add(row):
                counts.drop(row.source, row.sender, reason)
                continue
            place = row.source, row.sender
            kept[place] = kept.get(place, 0) + 1
            if isinstance(item, RewrittenRow):
                counts.group_dms += item.is_group_dm
                counts.rewritten.update(item.rewritten)
        elif isinstance(item, DroppedRow):
            counts.drop(item.source, item.sender, item.reason)
        else:
            rejects.add(export.label, item)
            counts.reject(item)
    for (source, sender), count in kept.items():
        counts.keep(source, sender, count)


def _require_persona(settings: Settings, corpus: Corpus, counts: ImportCounts) -> None:
    if any(corpus.people[row.sender].persona for row in corpus.rows):
        return
    if not corpus.rows and counts.rejects:
        first = counts.rejects[0]
        raise UserError(
            f"there is no message in these exports that could be read; {first.file} at {first.offset}: {first.reason}"
        )
    private = sum(count for (*_, reason), count in counts.dropped.items() if reason == "private")
    if private and not corpus.rows:
        raise UserError(
            f"all {private:,} messages of these exports are private; set [data] dms = true, if those they were written to "
            "agree to it"
        )
    spoken: dict[str, int] = {}
    for row in corpus.rows:
        name = corpus.identities[row.sender].name
        spoken[name] = spoken.get(name, 0) + 1
    speakers = ", ".join(f"{name} ({count})" for name, count in sorted(spoken.items(), key=lambda item: -item[1])[:12])
    name_given = settings.persona.name
    near = next((name for name in spoken if normalise(name_given) in normalise(name)), "")
    hint = f"is it {near!r}? " if near else ""
    raise UserError(
        f"nobody in these exports is called {name_given!r}; there are {speakers or 'no messages'}; {hint}"
        f"put the right name into [persona] name or aliases in {settings.path.name}"
    )
