"""The adapter versions that there are, and which of them speaks. Knows nothing of Gradio."""

from dataclasses import dataclass
from pathlib import Path

from persona.bundle import CURRENT, Seal, open_bundle, point_current, read_seal, versions
from persona.errors import PermanentError, UserError


@dataclass(frozen=True, slots=True)
class Version:
    """A sealed bundle. speaks: it is the current one."""

    number: str
    seal: Seal
    speaks: bool

    @property
    def label(self) -> str:
        """As a list shows it."""
        return f"{self.number}, current" if self.speaks else self.number


def versions_of(home: Path) -> list[Version]:
    """The bundles in `home` (adapters/<name>), the newest first; what has no valid seal can't speak and is left out."""
    current = (home / CURRENT).resolve().name if (home / CURRENT).exists() else ""
    bundles: list[Version] = []
    for number in map(str, reversed(versions(home))):
        try:
            bundles.append(Version(number, read_seal(home / number), number == current))
        except PermanentError:
            continue
    return bundles


def choices(available: list[Version]) -> tuple[list[tuple[str, str]], str | None]:
    """For a list to choose from: labels with numbers, and the number of the version that speaks (or the newest)."""
    speaking = next(
        (version.number for version in available if version.speaks), available[0].number if available else None
    )
    return [(version.label, version.number) for version in available], speaking


def make_current(home: Path, number: str) -> None:
    """Let a version speak, once every file was checked against its seal. Raises UserError."""
    point_current(open_bundle(home / number))


def roll_back(home: Path) -> str:
    """Let the version before the current one speak; returns its number. Raises UserError where there is none."""
    available = versions_of(home)
    position = next((index for index, version in enumerate(available) if version.speaks), len(available))
    if position + 1 >= len(available):
        raise UserError("there is no older version to go back to")
    make_current(home, available[position + 1].number)
    return available[position + 1].number
