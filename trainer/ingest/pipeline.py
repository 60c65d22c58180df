"""Exports -> corpus: read, clean, pseudonymise, merge with what was imported before, save."""

import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from sys import intern

from msgspec import structs

from persona.config import Settings
from persona.errors import UserError
from persona.names import normalise
from trainer.corpus.rejects import NAME as REJECTS
from trainer.corpus.rejects import Rejects
from trainer.corpus.segmentation import Row
from trainer.corpus.store import Corpus, build, identity, load, save, scratch_folder
from trainer.ingest.cleaning import Dropped, Kept, clean
from trainer.ingest.import_counts import Tally
from trainer.ingest.postprocess import refine
from trainer.ingest.reading import Read, read_all
from trainer.people.erasure_list import load_forgotten
from trainer.people.identities import Identity, meet, meet_mentioned
from trainer.progress import Bars
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.roles import role_named
from trainer.sources.parsing.spoken import ROLES
from trainer.sources.registry import SOURCES, Export, find

REPLIES = "replies.jsonl"
SELF = "Me"  # whoever made an export that doesn't know their name
_PLAIN_ID = re.compile(r"[\d.:_\-]*|timeline|(?:https?|at)://\S+")

Judged = Read[Kept | Dropped]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the corpus it left."""

    corpus: Corpus
    tally: Tally
    new: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What is in some exports. names: of those who speak there, by identity key, as the exports show them."""

    tally: Tally
    names: dict[str, str]


def import_exports(
    settings: Settings, paths: Sequence[Path], *, fresh: bool, bars: Bars, strict: bool = False
) -> Imported:
    """Read every export in `paths` into the corpus of these settings. fresh: forget what was imported before.

    Raises UserError where there is nothing to read, or nobody in it is the persona; strict: where anything could not be read.
    Nothing is written then.
    """
    with scratch_folder(settings.corpus) as folder, Rejects(folder / REJECTS) as rejects:
        return _imported(settings, paths, fresh, bars, strict, rejects)


def look(settings: Settings, paths: Sequence[Path], bars: Bars) -> Looked:
    """What an import of every export in `paths` would read, and what of that its rules of cleaning would drop; nothing is
    written. Raises UserError where there is nothing to read."""
    tally = Tally()
    identities: dict[str, Identity] = {}
    with tempfile.TemporaryDirectory(prefix="alterego-") as folder, Rejects(Path(folder) / REJECTS) as rejects:
        _gathered(settings, _exports(paths, tally), rejects, identities, set(), tally, bars)
    return Looked(tally, {key: one.name or SELF for key, one in identities.items()})


def _imported(
    settings: Settings, paths: Sequence[Path], fresh: bool, bars: Bars, strict: bool, rejects: Rejects
) -> Imported:
    tally = Tally()
    exports = _exports([*paths, *_fetched(settings, paths)], tally)
    before = Corpus() if fresh or not (settings.corpus / "messages.parquet").is_file() else load(settings)
    identities = dict(before.identities)
    known = {identity(row) for row in before.rows}
    new = _gathered(settings, exports, rejects, identities, known, tally, bars)
    if strict:
        _require_whole(tally)
    pseudonyms = dict(before.pseudonyms)
    forgotten = load_forgotten(settings)
    with bars.task("names, personal data, repetitions", len(new)) as advance:
        refined = refine(settings, before.rows, new, identities, pseudonyms, before.regions, forgotten, tally, advance)
    corpus = build(settings, refined.rows, refined.identities, pseudonyms, before.parts, refined.regions)
    _require_persona(settings, corpus, tally)
    save(corpus, settings.corpus, rejects.finish(settings.corpus / (os.devnull if fresh else REJECTS)))
    return Imported(corpus, tally, sum(tally.kept.values()))


def _gathered(
    settings: Settings,
    exports: Sequence[Export],
    rejects: Rejects,
    identities: dict[str, Identity],
    known: Collection[tuple[str, ...]],
    tally: Tally,
    bars: Bars,
) -> list[Row]:
    """What the exports hold that is not `known`. identities: added to."""
    rows: dict[tuple[str, ...], Row] = {}
    for export, reading in read_all(exports, partial(clean, settings=settings.data), rejects.path.parent, bars):
        _read(_told(reading, export, rejects, tally), export.source.name, settings, identities, rows, known, tally)
    return list(rows.values())


def _fetched(settings: Settings, paths: Sequence[Path]) -> list[Path]:
    """The replies that the user fetched, where they lie beside the settings."""
    path = settings.root / REPLIES
    named = {one.resolve() for one in paths}
    return [path] if path.is_file() and path.resolve() not in named and path.parent.resolve() not in named else []


def _exports(paths: Sequence[Path], tally: Tally) -> list[Export]:
    found: list[Export] = []
    for path in paths:
        told = len(tally.refused)
        here = list(find(path, tally.refused.append))
        found += here
        if not here and len(tally.refused) == told:
            tally.unrecognised.append(str(path))
    if not found and tally.refused:
        raise UserError("; ".join(tally.refused))
    if not found:
        which = ", ".join(map(str, paths))
        raise UserError(
            f"{which}: no export that alterego can read; it reads {', '.join(source.name for source in SOURCES)}"
        )
    tally.experimental |= {export.source.name for export in found if export.source.experimental}
    return found


def _told(reading: Judged, export: Export, rejects: Rejects, tally: Tally) -> Iterator[tuple[Message, Kept | Dropped]]:
    """The messages of a reading; what could not be read is written down and counted."""
    for found in reading:
        if isinstance(found, Reject):
            rejects.add(export.label, found)
            tally.reject(found)
        else:
            yield found


def _require_whole(tally: Tally) -> None:
    """What --strict asks for."""
    problems = [f"{one.file} at {one.offset}: {one.reason}" for one in tally.rejects[:1]] + tally.refused[:1]
    if problems:
        count = tally.rejected + len(tally.refused)
        raise UserError(
            f"{'1 stretch' if count == 1 else f'{count:,} stretches'} could not be read, the first: {problems[0]}; nothing was "
            "written; leave out --strict to import the rest"
        )


def _read(
    reading: Iterator[tuple[Message, Kept | Dropped]],
    source: str,
    settings: Settings,
    identities: dict[str, Identity],
    rows: dict[tuple[str, ...], Row],
    known: Collection[tuple[str, ...]],
    tally: Tally,
) -> None:
    private = f"{source}, private"
    for message, cleaned in reading:
        found = in_voice(message, settings)
        sender = meet(identities, found)
        label = private if found.conversation_type == "dm" else source
        if isinstance(cleaned, Dropped):
            tally.drop(label, sender, cleaned.reason)
            continue
        row = _row(found, sender, label, cleaned, identities)
        key = identity(row)
        if key in known:
            tally.drop(label, sender, "already there")
        elif (earlier := rows.get(key)) is None:
            rows[key] = row
            tally.keep(label, sender)
            if cleaned.rewritten:
                tally.rewritten.update(cleaned.rewritten)
        else:  # the same message twice in what is read now: the later version counts
            rows[key] = max(earlier, row, key=lambda one: one.at or 0.0)
            tally.drop(label, sender, "already there" if earlier.lines == row.lines else "older version")


def in_voice(message: Message, settings: Settings) -> Message:
    """In instruction data, whoever has the role of the persona is the persona."""
    if message.platform != ROLES or message.sender_id != role_named(settings.data.persona_role):
        return message
    return structs.replace(message, sender_id="", sender_name=settings.persona.name)


def _row(message: Message, sender: str, source: str, kept: Kept, identities: dict[str, Identity]) -> Row:
    mentions = (meet_mentioned(identities, message.platform, number, name) for number, name in kept.mentions)
    author = meet_mentioned(identities, message.platform, "", kept.author) if kept.author else ""
    return Row(
        platform=message.platform,
        source=source,
        channel=intern(_opaque(message.conversation_id)),
        kind=message.conversation_type,
        message_id=_opaque(message.message_id),
        sender=sender,
        at=message.timestamp,
        lines=kept.lines,
        reply_to=_opaque(message.reply_to_id) or ("?" if message.reply_to_name or kept.answers else ""),
        thread=intern(_opaque(message.thread_id)),
        quoted=kept.quoted,
        quoted_by=author,
        mentions=tuple(dict.fromkeys(filter(None, mentions))),
    )


def _opaque(number: str) -> str:
    """An id as the corpus holds it: where an export has none, readers make one of names and file names, which are not
    to be written; addresses of public posts stay, since their parents are looked for under them."""
    if _PLAIN_ID.fullmatch(number):
        return number
    return hashlib.blake2b(number.encode(), digest_size=10).hexdigest()


def _require_persona(settings: Settings, corpus: Corpus, tally: Tally) -> None:
    if any(corpus.people[row.sender].persona for row in corpus.rows):
        return
    if not corpus.rows and tally.rejects:
        first = tally.rejects[0]
        raise UserError(
            f"there is no message in these exports that could be read; {first.file} at {first.offset}: {first.reason}"
        )
    counts: dict[str, int] = {}
    for row in corpus.rows:
        name = corpus.identities[row.sender].name
        counts[name] = counts.get(name, 0) + 1
    there = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items(), key=lambda item: -item[1])[:12])
    wanted = settings.persona.name
    near = next((name for name in counts if normalise(wanted) in normalise(name)), "")
    hint = f"is it {near!r}? " if near else ""
    raise UserError(
        f"nobody in these exports is called {wanted!r}; there are {there or 'no messages'}; {hint}"
        f"put the right name into [persona] name or aliases in {settings.path.name}"
    )
