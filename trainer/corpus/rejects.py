"""rejects.jsonl: what could not be read, verbatim, on its way to the corpus. Written as it comes, never held in memory.

A line is an object: export, file, offset (bytes), reason, raw. Where `raw` has escapes of lone surrogates, the file had bytes
there that are no UTF-8; `raw.encode("utf-8", "surrogateescape")` gives them back.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainer.sources.message import Reject

NAME = "rejects.jsonl"


class Rejects:
    """The file of one import. path: where it lies until the corpus takes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
        self._seen: set[bytes] = set()

    def add(self, export: str, reject: Reject) -> None:
        """Write one, unless the very same is there."""
        entry = {"export": export, "file": reject.file, "offset": reject.offset, "reason": reject.reason}
        self._write({**entry, "raw": reject.raw})

    def finish(self, before: Path) -> Path | None:
        """Return the file complete: with those of earlier imports, at `before`, that were not met again; None if there
        are none."""
        for entry in _entries(before):
            self._write(entry)
        self._file.close()
        return self.path if self._seen else None

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _write(self, entry: dict[str, Any]) -> None:
        place = json.dumps([entry["export"], entry["file"], entry["offset"], entry["reason"]])
        digest = hashlib.blake2b(place.encode(), digest_size=16).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            self._file.write(json.dumps(entry) + "\n")


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
