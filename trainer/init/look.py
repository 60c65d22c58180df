"""What a first run would ask about, for programs that ask themselves: the exports, and who writes in them."""

from collections.abc import Sequence
from typing import Any

from persona.errors import SettingsError
from trainer.init.answers import select_people
from trainer.init.exports import ExportLocation
from trainer.init.writers import Writer


def overview(locations: Sequence[ExportLocation], writers: Sequence[Writer]) -> dict[str, Any]:
    """Return exports and writers as plain values; a writer's `call` names exactly them, for --me and --consent."""
    return {
        "exports": [{"path": str(location.path), "formats": location.formats} for location in locations],
        "writers": [
            {
                "name": writer.name,
                "call": call_of(writer, writers),
                "also": list(writer.calls[1:]),
                "messages": writer.messages,
                "private": writer.private,
                "account": writer.account,
            }
            for writer in writers
        ],
    }


def call_of(writer: Writer, writers: Sequence[Writer]) -> str:
    """Return a name, handle or id that names this writer and nobody else, else their number in the list."""
    plain = (call for call in writer.calls if not set("+,") & set(call))  # which would name several
    return next((call for call in plain if _names(call, writer, writers)), str(writers.index(writer) + 1))


def _names(call: str, writer: Writer, writers: Sequence[Writer]) -> bool:
    try:
        return [person.writers for person in select_people(call, writers)] == [(writer,)]
    except SettingsError:  # several bear it
        return False
