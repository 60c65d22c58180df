"""Which GGUF file a folder of dequantised weights was made of, kept in that folder."""

import hashlib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from persona.atomic import write_whole

_FILE = "made_of.json"


class GgufRecord(BaseModel):
    """modified: when the file was last changed, in nanoseconds: while that is the same, gigabytes needn't be read to know its
    content. A copy may have another time and the same sha256."""

    model_config = ConfigDict(frozen=True)

    modified: int
    sha256: str

    @classmethod
    def of(cls, file: Path) -> Self:
        """Read all of a file."""
        modified = file.stat().st_mtime_ns  # before: what is changed meanwhile is looked at again
        with file.open("rb") as data:
            return cls(modified=modified, sha256=hashlib.file_digest(data, "sha256").hexdigest())

    @classmethod
    def kept_in(cls, folder: Path) -> Self | None:
        """Return what a folder was made of; None if that isn't known, or there is no folder."""
        try:
            return cls.model_validate_json((folder / _FILE).read_bytes())
        except (OSError, ValidationError):
            return None

    def keep_in(self, folder: Path) -> None:
        """Write it into a folder."""
        write_whole(folder / _FILE, [self.model_dump_json()])
