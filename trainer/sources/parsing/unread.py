"""Rows of JSON that say something a reader has no field for: counted by the name of that field. Not a source."""

from collections.abc import Collection, Iterator
from typing import Any

from trainer.sources.message import Reject
from trainer.sources.parsing.json_records import JsonRecords

MAX_ROWS = 100_000  # remembered of a file; an export with more empty rows is not worth a second reading of them all


class EmptyRows:
    """The rows of a file that had neither text nor anything else a reader knows.

    The quick reading doesn't keep what it has no field for, so a file with such rows is read a second time.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = frozenset(known)
        self._ids: set[str] = set()

    def note(self, number: str) -> None:
        """Remember a row by its id."""
        if len(self._ids) < MAX_ROWS:
            self._ids.add(number)

    def rejects(self, records: "JsonRecords[dict[str, Any]]", file: str, id_field: str = "id") -> Iterator[Reject]:
        """Yield what those rows hold that is not known. records: the same rows, whole."""
        for row in records if self._ids else ():
            if isinstance(row, dict) and str(row.get(id_field)) in self._ids:
                keys = sorted(
                    key for key, value in row.items() if key not in self._known and value not in (None, "", [])
                )
                if keys:
                    yield Reject(file=file, offset=0, reason=f"a message without text, but with {keys[0]!r}: not read")
