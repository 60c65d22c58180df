"""Which bundle may speak again: an earlier one that passed its gate, or the one that is asked for."""

from pathlib import Path

from persona.bundle import CURRENT, Bundle, current, open_bundle, read_seal, versions
from persona.errors import PermanentError, SettingsError, UserError
from persona.retraining import marked


def version_before(home: Path) -> tuple[str, Bundle]:
    """Return the current version, and the bundle that is to speak instead: what it was refined from, else the newest older
    one that was not held back. Raises UserError if there is none."""
    now = _now(home)
    forgotten = marked(home)
    older = [version for version in reversed(versions(home)) if version < int(now)]
    skipped: list[str] = []
    for version in older:
        if str(version) in forgotten:
            skipped.append(f"{version} learned from somebody who is to be forgotten")
        elif _held_back(home / str(version)):
            skipped.append(f"{version} was held back")
        else:
            return now, open_bundle(home / str(version))
    why = f" ({'; '.join(skipped)})" if skipped else ""
    raise UserError(f"there is nothing to roll back to: no version before {now} in {home} may speak{why}")


def version_called(home: Path, version: int) -> tuple[str, Bundle]:
    """Return the current version, and the bundle of another. Raises UserError if it isn't there, or must not speak."""
    now = _now(home)
    known = versions(home)
    if version not in known:
        raise SettingsError(f"{home} has no version {version}; it has {', '.join(map(str, known))}")
    if str(version) in marked(home):
        raise UserError(
            f"version {version} learned from somebody who is to be forgotten: train anew instead, with 'python -m trainer train'"
        )
    return now, open_bundle(home / str(version))


def _now(home: Path) -> str:
    """Return the version that speaks; one that can't be opened any more can be rolled back from."""
    link = home / CURRENT
    return link.resolve().name if link.exists() else current(home).version


def _held_back(folder: Path) -> bool:
    try:
        return read_seal(folder).held_back
    except PermanentError:
        return True
