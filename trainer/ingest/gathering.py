"""What exports hold as rows of the corpus, in their order."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from persona.config import Settings
from trainer.corpus.row import Row
from trainer.ingest.cleaning import DroppedMessage, Kept
from trainer.ingest.export_stream import MessageBatch
from trainer.ingest.plain_messages import Cleaned, clean_all
from trainer.ingest.reading import read_all
from trainer.ingest.rows import PlainRows, in_voice, row_of
from trainer.people.identities import Identity, register_sender
from trainer.progress import Bars
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.spoken import ROLES
from trainer.sources.registry import Export


class RewrittenRow(msgspec.Struct, frozen=True, gc=False):
    """A message that is kept, if more is to be counted of it. rewritten: the rules that changed it. is_group_dm: of a group
    outside any server."""

    row: Row
    rewritten: tuple[str, ...]
    is_group_dm: bool


class DroppedRow(msgspec.Struct, frozen=True, gc=False):
    """A message that cleaning drops: of which source, by whom, why."""

    source: str
    sender: str
    reason: str


GatheredItem = Row | RewrittenRow | DroppedRow | Reject
Identities = dict[str, Identity]


def gather(
    exports: Sequence[Export], settings: Settings, identities: Identities, folder: Path, bars: Bars
) -> Iterator[tuple[Export, Iterator[Sequence[GatheredItem]]]]:
    """Yield each export, in order, with what is in it, some at a time. identities: added to. folder: for temporary files."""
    for export, reading in read_all(exports, partial(clean_all, settings=settings.data), folder, bars):
        items = _Items(export.source.name, settings, identities)
        yield export, map(items.of, reading)


class _Items:
    """Makes rows of the messages of an export. identities: added to."""

    def __init__(self, source: str, settings: Settings, identities: Identities) -> None:
        self._source = source
        self._settings = settings
        self._identities = identities
        self._plain = PlainRows(source, identities)

    def of(self, batch: MessageBatch[Cleaned]) -> Sequence[GatheredItem]:
        """Return the messages as rows, and what could not be read."""
        plain = self._plain.row_of
        items: list[GatheredItem] = [
            plain(message) if cleaned is None else self._item(message, cleaned)
            for message, cleaned in zip(batch.messages, batch.made, strict=True)
        ]
        return [*items, *batch.rejects] if batch.rejects else items

    def _item(self, message: Message, cleaned: Kept | DroppedMessage) -> GatheredItem:
        if message.is_group_dm or message.platform == ROLES:
            message = in_voice(message, self._settings)
        sender = register_sender(self._identities, message)
        label = f"{self._source}, private" if message.conversation_type == "dm" else self._source
        if isinstance(cleaned, DroppedMessage):
            return DroppedRow(label, sender, cleaned.reason)
        row = row_of(message, sender, label, cleaned, self._identities)
        is_group_dm = message.is_group_dm and message.conversation_type == "group"
        return RewrittenRow(row, cleaned.rewritten, is_group_dm) if cleaned.rewritten or is_group_dm else row
