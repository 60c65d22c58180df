"""One planted fault."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutation:
    """A fault to plant. file: relative to the root. old: a text that stands there exactly once. new: what replaces it.
    tests: what pytest is told to run; at least one of them must fail."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def title(self) -> str:
        """The file and what is changed in it, on one line."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.file}: {old!r} -> {new!r}"

    def occurrences(self, root: Path) -> int:
        """Return how often the old text stands in its file."""
        path = root / self.file
        return path.read_text(encoding="utf-8").count(self.old) if path.is_file() else 0

    def applied(self, text: str) -> str:
        """Return the file's text with the fault."""
        return text.replace(self.old, self.new)
