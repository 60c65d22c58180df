"""The adapter versions on disk, and which of them is current. Knows nothing of Gradio."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from persona.bundle import CURRENT, Seal, open_bundle, point_current, read_seal, versions
from persona.errors import PermanentError, UserError
from persona.retraining import marked


@dataclass(frozen=True, slots=True)
class Version:
    """A sealed bundle. speaks: whether it is the current one. One that was held back speaks only if it was made current."""

    number: str
    seal: Seal
    speaks: bool

    @property
    def label(self) -> str:
        """The version as a list shows it."""
        state = "current" if self.speaks else "held back" if self.seal.held_back else ""
        return f"{self.number}, {state}" if state else self.number

    @property
    def made(self) -> str:
        """When it was sealed, by this machine's clock."""
        return f"{datetime.fromisoformat(self.seal.created).astimezone():%Y-%m-%d %H:%M}"

    @property
    def silence(self) -> str:
        """Why it doesn't speak, while it is not current."""
        if not self.seal.held_back:
            return f"Version {self.number} is not the current one."
        reasons = "; ".join(self.seal.metrics["gate"].get("reasons", ())) or "its report says why"
        return f"Version {self.number} is held back: {reasons}."


def versions_of(home: Path) -> list[Version]:
    """Return the sealed bundles in `home` (adapters/<name>), the newest first; those without a valid seal are left out."""
    current = (home / CURRENT).resolve().name if (home / CURRENT).exists() else ""
    bundles: list[Version] = []
    for number in map(str, reversed(versions(home))):
        try:
            bundles.append(Version(number, read_seal(home / number), number == current))
        except PermanentError:
            continue
    return bundles


def unusable(home: Path) -> list[str]:
    """Return why bundles in `home` can't speak, each reason once."""
    reasons: dict[str, None] = {}
    for number in versions(home):
        try:
            read_seal(home / str(number))
        except PermanentError as fault:
            reasons.setdefault(str(fault))
    return list(reasons)


def choices(available: list[Version]) -> tuple[list[tuple[str, str]], str | None]:
    """Return the options of a drop-down: (label, version number) pairs, and the number to select first: the current
    version's, else the newest."""
    speaking = next(
        (version.number for version in available if version.speaks), available[0].number if available else None
    )
    return [(version.label, version.number) for version in available], speaking


def make_current(home: Path, number: str) -> None:
    """Make a version current after checking every file against its seal. Raises UserError, for one that learned from
    somebody who is to be forgotten too."""
    if number in marked(home):
        raise UserError(f"version {number} learned from somebody who is to be forgotten: train anew instead")
    point_current(open_bundle(home / number))


def roll_back(home: Path) -> str:
    """Make the last version before the current one current that may speak: neither held back nor of somebody who is to be
    forgotten. Returns its number. Raises UserError if there is none."""
    available = versions_of(home)
    position = next((index for index, version in enumerate(available) if version.speaks), len(available))
    silent = marked(home)
    older = next(
        (version for version in available[position + 1 :] if not (version.seal.held_back or version.number in silent)),
        None,
    )
    if older is None:
        raise UserError("there is no older version to go back to")
    make_current(home, older.number)
    return older.number
