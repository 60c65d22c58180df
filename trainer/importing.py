"""Exports -> corpus: read, clean, pseudonymise, merge with what was imported before, save."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.config import Settings
from persona.fault import Fault
from persona.names import normalise
from trainer.cleaning import Dropped, Kept, clean
from trainer.conversations import Row
from trainer.corpus import Corpus, build, identity, load, save
from trainer.forgotten import load_forgotten
from trainer.people import Identity, meet, meet_mentioned
from trainer.progress import Bars
from trainer.refining import refine
from trainer.sources.message import Message, Reject
from trainer.sources.registry import SOURCES, Export, find
from trainer.sources.source import Reading
from trainer.tally import Tally

REPLIES = "replies.jsonl"
_PLAIN_ID = re.compile(r"[\d.:_\-]*|timeline|(?:https?|at)://\S+")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the corpus it left."""

    corpus: Corpus
    tally: Tally
    new: int


def import_exports(settings: Settings, paths: Sequence[Path], *, fresh: bool, bars: Bars) -> Imported:
    """Read every export in `paths` into the corpus of these settings. fresh: forget what was imported before.

    Raises Fault where there is nothing to read, or nobody in it is the persona. Nothing is written then.
    """
    tally = Tally()
    exports = _exports([*paths, *_fetched(settings, paths)], tally)
    before = Corpus() if fresh or not (settings.corpus / "messages.parquet").is_file() else load(settings)
    identities = dict(before.identities)
    rows: dict[tuple[str, ...], Row] = {}
    known = {identity(row) for row in before.rows}
    for export in exports:
        with bars.task(f"reading {export.label}", export.size) as advance:
            _read(export.read(advance), export.source.name, settings, identities, rows, known, tally)
    pseudonyms = dict(before.pseudonyms)
    forgotten = load_forgotten(settings)
    new = list(rows.values())
    with bars.task("names, personal data, repetitions", len(new)) as advance:
        refined = refine(settings, before.rows, new, identities, pseudonyms, before.regions, forgotten, tally, advance)
    corpus = build(settings, refined.rows, refined.identities, pseudonyms, before.parts, refined.regions)
    _require_persona(settings, corpus)
    save(corpus, settings.corpus)
    return Imported(corpus, tally, sum(tally.kept.values()))


def _fetched(settings: Settings, paths: Sequence[Path]) -> list[Path]:
    """The replies that the user fetched, where they lie beside the settings."""
    path = settings.root / REPLIES
    named = {one.resolve() for one in paths}
    return [path] if path.is_file() and path.resolve() not in named and path.parent.resolve() not in named else []


def _exports(paths: Sequence[Path], tally: Tally) -> list[Export]:
    found: list[Export] = []
    for path in paths:
        here = list(find(path))
        found += here
        if not here:
            tally.unrecognised.append(str(path))
    if not found:
        which = ", ".join(map(str, paths))
        raise Fault(
            f"{which}: no export that alterego can read; it reads {', '.join(source.name for source in SOURCES)}"
        )
    return found


def _read(
    reading: Reading,
    source: str,
    settings: Settings,
    identities: dict[str, Identity],
    rows: dict[tuple[str, ...], Row],
    known: set[tuple[str, ...]],
    tally: Tally,
) -> None:
    for found in reading:
        if isinstance(found, Reject):
            tally.rejects.append(found)
            continue
        sender = meet(identities, found)
        label = f"{source}, private" if found.conversation_type == "dm" else source
        cleaned = clean(found, settings.data)
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
            tally.rewritten.update(cleaned.rewritten)
        else:  # the same message twice in what is read now: the later version counts
            rows[key] = max(earlier, row, key=lambda one: one.at or 0.0)
            tally.drop(label, sender, "already there" if earlier.lines == row.lines else "older version")


def _row(message: Message, sender: str, source: str, kept: Kept, identities: dict[str, Identity]) -> Row:
    mentions = (meet_mentioned(identities, message.platform, number, name) for number, name in kept.mentions)
    author = meet_mentioned(identities, message.platform, "", kept.author) if kept.author else ""
    return Row(
        platform=message.platform,
        source=source,
        channel=_opaque(message.conversation_id),
        kind=message.conversation_type,
        message_id=_opaque(message.message_id),
        sender=sender,
        at=message.timestamp,
        lines=kept.lines,
        reply_to=_opaque(message.reply_to_id) or ("?" if message.reply_to_name or kept.answers else ""),
        thread=_opaque(message.thread_id),
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


def _require_persona(settings: Settings, corpus: Corpus) -> None:
    if any(corpus.people[row.sender].persona for row in corpus.rows):
        return
    counts: dict[str, int] = {}
    for row in corpus.rows:
        name = corpus.identities[row.sender].name
        counts[name] = counts.get(name, 0) + 1
    there = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items(), key=lambda item: -item[1])[:12])
    wanted = settings.persona.name
    near = next((name for name in counts if normalise(wanted) in normalise(name)), "")
    hint = f"is it {near!r}? " if near else ""
    raise Fault(
        f"nobody in these exports is called {wanted!r}; there are {there or 'no messages'}; {hint}"
        f"put the right name into [persona] name or aliases in {settings.path.name}"
    )
