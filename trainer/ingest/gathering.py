"""What exports hold as rows of the corpus, in their order: made here, or by a process beside this one if a file is large."""

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from persona.config import Settings
from trainer.corpus.segmentation import Row
from trainer.ingest.cleaning import DroppedMessage, Kept
from trainer.ingest.export_stream import Read, made
from trainer.ingest.plain_messages import clean_all
from trainer.ingest.reading import read_all, reads_in_processes
from trainer.ingest.reading_beside import BESIDE_FROM, is_worth_a_process, read_beside
from trainer.ingest.rows import in_voice, row_of
from trainer.people.identities import Identity, register_sender
from trainer.people.text_language import load_model
from trainer.progress import Bars
from trainer.sources.message import Reject
from trainer.sources.parsing.spoken import ROLES
from trainer.sources.registry import Export


class KeptRow(msgspec.Struct, frozen=True, gc=False):
    """A message that cleaning keeps. rewritten: the rules that changed it. is_group_dm: of a group outside any server."""

    row: Row
    rewritten: tuple[str, ...]
    is_group_dm: bool


class DroppedRow(msgspec.Struct, frozen=True, gc=False):
    """A message that cleaning drops: of which source, by whom, why."""

    source: str
    sender: str
    reason: str


GatheredItem = KeptRow | DroppedRow | Reject
Identities = dict[str, Identity]


def gather(
    exports: Sequence[Export],
    settings: Settings,
    identities: Identities,
    folder: Path,
    bars: Bars,
    beside_from: int = BESIDE_FROM,
) -> Iterator[tuple[Export, Iterator[GatheredItem]]]:
    """Yield each export, in order, with what is in it. identities: added to. folder: for temporary files. beside_from: bytes
    of an export, from which on a process of its own reads it."""
    if reads_in_processes(exports):
        for export, reading in read_all(exports, partial(clean_all, settings=settings.data), folder, bars):
            yield export, _rows(reading, export.source.name, settings, identities)
        return
    for export in exports:
        with bars.task(f"reading {export.label}", export.size) as on_bytes:
            if is_worth_a_process(export.size, beside_from):
                yield export, _beside(export, settings, identities, on_bytes)
            else:
                yield export, _rows_of(identities, on_bytes, export=export, settings=settings)


def _beside(
    export: Export, settings: Settings, identities: Identities, on_bytes: Callable[[int], None]
) -> Generator[GatheredItem, None, None]:
    work = partial(_rows_of, export=export, settings=settings)
    known = yield from read_beside(export.label, work, identities, on_bytes, load_model)
    identities.clear()
    identities.update(known)


def _rows_of(
    identities: Identities, on_bytes: Callable[[int], None], *, export: Export, settings: Settings
) -> Iterator[GatheredItem]:
    reading = made(export, partial(clean_all, settings=settings.data), on_bytes)
    return _rows(reading, export.source.name, settings, identities)


def _rows(
    reading: Read[Kept | DroppedMessage], source: str, settings: Settings, identities: Identities
) -> Iterator[GatheredItem]:
    """Yield the messages of a reading as rows, and what could not be read. identities: added to."""
    private = f"{source}, private"
    for item in reading:
        if isinstance(item, Reject):
            yield item
            continue
        message, cleaned = item
        if message.is_group_dm or message.platform == ROLES:
            message = in_voice(message, settings)
        sender = register_sender(identities, message)
        label = private if message.conversation_type == "dm" else source
        if isinstance(cleaned, DroppedMessage):
            yield DroppedRow(label, sender, cleaned.reason)
        else:
            is_group_dm = message.is_group_dm and message.conversation_type == "group"
            yield KeptRow(row_of(message, sender, label, cleaned, identities), cleaned.rewritten, is_group_dm)
