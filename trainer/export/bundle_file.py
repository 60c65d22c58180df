"""A bundle as one file: carried home from a rented GPU, checked on arrival."""

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from persona.atomic import replacing
from persona.bundle import SEAL, Bundle, adopt, draft, open_bundle
from persona.config import Settings
from persona.errors import UserError
from trainer.progress import Bars

LARGEST = 200 * 2**30  # bytes that a bundle may unpack to


def pack(bundle: Bundle, target: Path, bars: Bars) -> Path:
    """Write the bundle, its private part included, into the tar file `target`. Uncompressed: weights don't shrink."""
    files = sorted(path for path in bundle.folder.rglob("*") if path.is_file())
    with (
        replacing(target) as fresh,
        bars.task("packing", sum(path.stat().st_size for path in files)) as advance,
        tarfile.open(fresh, "w") as tar,
    ):
        for path in files:
            tar.add(path, path.relative_to(bundle.folder).as_posix(), filter=_anonymous)
            advance(path.stat().st_size)
    return target


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without this machine's users, and with the private part closed to others."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def unpack(source: Path, settings: Settings, bars: Bars) -> Bundle:
    """Adopt the bundle in the tar file `source`: unpack it, check every file against the seal, give it the next version.
    `current` is not moved. Raises UserError for a file that holds something else, PermanentError for a broken seal."""
    try:
        with tarfile.open(source, "r:") as tar, draft(settings.adapters) as folder:
            members = list(_checked(tar, source))
            with bars.task("unpacking", sum(member.size for member in members)) as advance:
                for member in members:
                    _extract(tar, member, folder)
                    advance(member.size)
            _require_voice(source, open_bundle(folder).seal.speaker, settings)
            return adopt(folder)
    except (tarfile.TarError, EOFError) as error:
        raise UserError(
            f"{source} is no bundle file ({error}); make one with 'python -m trainer export --bundle'"
        ) from error


def _require_voice(source: Path, speaker: str, settings: Settings) -> None:
    if speaker != settings.persona.key:
        raise UserError(
            f"{source} holds the voice of {speaker}, these settings are {settings.persona.name}'s; "
            "give --config the settings it was trained with"
        )


def _checked(tar: tarfile.TarFile, source: Path) -> Iterator[tarfile.TarInfo]:
    """Its files; anything that is not a plain file inside the bundle is refused."""
    total = 0
    seen: set[str] = set()
    for member in tar:
        path = PurePosixPath(member.name)
        total += member.size
        if not member.isfile() or path.is_absolute() or ".." in path.parts or member.name in seen or total > LARGEST:
            raise UserError(f"{source} holds something that no bundle holds ({member.name!r}); it is not to be trusted")
        seen.add(member.name)
        yield member
    if SEAL not in seen:
        raise UserError(
            f"{source} holds no {SEAL}, so it is no bundle; make one with 'python -m trainer export --bundle'"
        )


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = tar.extractfile(member)
    if stream is not None:
        with stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file, 2**20)
