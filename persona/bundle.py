"""The adapter bundle: draft it, seal it, open it, point `current` at it. Knows files and hashes, not what is in them."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from persona import transcript
from persona.atomic import replace_link, sync, write_whole
from persona.errors import PermanentError, UserError
from persona.speaking_up import SpeakingUp

FORMAT = 1
SEAL = "persona.json"
PRIVATE = "private"
CURRENT = "current"
SCRATCH = "scratch"  # [base] model of a base that is grown here


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class BaseModelSeal(_Part):
    """What the adapter was trained on. model: "scratch" (it lies in base/), a Hub id, or a folder's name (never its
    path). revision: the Hub's commit. weights: hash over the safetensors headers. architecture: model_type."""

    model: str
    revision: str = ""
    weights: str
    architecture: str

    @property
    def from_scratch(self) -> bool:
        """Whether it was grown on the corpus and has seen nothing else."""
        return self.model == SCRATCH


class Speaker(_Part):
    """Somebody the model heard. name: for display. tuned: whether their turns were targets."""

    name: str
    tuned: bool = False


class Probe(_Part):
    """A prompt to which adapter and base answer differently, greedily: how an engine shows that it uses the adapter."""

    ids: tuple[int, ...]
    tuned: tuple[int, ...]
    base: tuple[int, ...]


class Seal(_Part):
    """persona.json: what the bot must know to speak as the trainer meant it, and the sha256 of every file.

    precision: of model.gguf; empty if the bundle has none. speaking_up: None if too little talk was held out to calibrate it.
    """

    format: int = FORMAT
    transcript: int = transcript.FORMAT
    created: str = ""
    speaker: str
    speakers: Mapping[str, Speaker]
    turn_taking: Mapping[str, Mapping[str, float]] = {}
    end_of_turn: int
    stops: tuple[int, ...]
    bos: int | None = None
    max_length: int
    year: int | None = None
    base: BaseModelSeal
    sampling: Mapping[str, float] = {}
    speaking_up: SpeakingUp | None = None
    probe: Probe | None = None
    precision: str = ""
    data: Mapping[str, Any] = {}
    metrics: Mapping[str, Any] = {}
    files: Mapping[str, str] = {}
    digest: str = ""

    @property
    def held_back(self) -> bool:
        """Whether it failed its gate and nobody forced it: it becomes current only if somebody asks for it."""
        gate = self.metrics.get("gate", {})
        return not (gate.get("passed", True) or gate.get("forced", False))

    def signed(self, files: Mapping[str, str]) -> "Seal":
        """Return the seal of these files, with the digest over itself."""
        full = self.model_copy(update={"files": dict(files), "digest": ""})
        return full.model_copy(update={"digest": _digest_of(full.model_dump(mode="json"))})


class Bundle:
    """A sealed, unchanged bundle."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self.folder = folder
        self.seal = seal

    @property
    def version(self) -> str:
        """The name of its folder: 1, 2, 3, …"""
        return self.folder.resolve().name

    @property
    def private(self) -> Path:
        """The folder that is never uploaded: report, guard, plots."""
        return self.folder / PRIVATE

    @property
    def reports(self) -> Path:
        """The folder of later reports and game results: nothing is written into a sealed bundle."""
        return self.folder.resolve().parent / "reports" / self.version


@contextlib.contextmanager
def draft(home: Path) -> Iterator[Path]:
    """Yield a new folder beside the versions in `home` (adapters/<name>), which is removed unless it gets published."""
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    folder = Path(tempfile.mkdtemp(prefix=f".draft-{os.getpid()}-", dir=home))
    (folder / PRIVATE).mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # it holds something, as a rule
            home.rmdir()


def publish(folder: Path, seal: Seal) -> Bundle:
    """Seal a draft and give it the next version. The seal is written last; `current` is not moved."""
    files = {name: _sha256(folder / name) for name in _names(folder)}
    for name in files:
        sync(folder / name)
    signed = seal.model_copy(update={"created": datetime.now(UTC).isoformat(timespec="seconds")}).signed(files)
    _write_seal(folder, signed)
    for inner in [*folder.rglob("*/"), folder]:
        sync(inner)
    folder.chmod(0o755)
    final = _take_next_version(folder)
    sync(final.parent)
    return Bundle(final, signed)


def adopt(folder: Path) -> Bundle:
    """Give a draft that was sealed elsewhere the next version here, once every file was checked against its seal.
    `current` is not moved. Raises PermanentError naming the file at fault."""
    seal = open_bundle(folder).seal
    for name in _names(folder):
        if name not in seal.files:
            raise PermanentError(f"{name} is not in the seal of the bundle; it is not to be trusted")
        sync(folder / name)
    for inner in [*folder.rglob("*/"), folder]:
        inner.chmod(0o700 if inner.name == PRIVATE else 0o755)
        sync(inner)
    final = _take_next_version(folder)
    sync(final.parent)
    return Bundle(final, seal)


def point_current(bundle: Bundle) -> None:
    """Make `bundle` the one that speaks; atomic."""
    home = bundle.folder.parent
    replace_link(home / CURRENT, bundle.folder.name)


def replace_sealed(bundle: Bundle, name: str, fresh: Path | None) -> None:
    """Put the file `fresh` in the place of one of a sealed bundle, or none. The seal vouches for no file that is not there,
    whenever this is cut short: then the bundle is without it."""
    path, others = bundle.folder / name, {k: v for k, v in bundle.seal.files.items() if k != name}
    _write_seal(bundle.folder, bundle.seal.signed(others))
    path.unlink(missing_ok=True)
    if fresh:
        fresh.replace(path)
        sync(path.parent)
        files = {**others, name: _sha256(path)}
        _write_seal(bundle.folder, bundle.seal.signed(dict(sorted(files.items()))))


def _write_seal(folder: Path, seal: Seal) -> None:
    text = json.dumps(seal.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / SEAL, [text], mode=0o644)


def current(home: Path) -> Bundle:
    """Return the bundle that speaks for the persona whose adapters lie in `home`."""
    link = home / CURRENT
    if not link.exists():
        if versions(home):
            why = "what was trained is held back; 'python -m trainer train --force' lets it speak"
        else:
            so_far = "training has not finished" if home.exists() else "nothing is trained yet"
            why = f"{so_far}; run 'python -m trainer train'"
        raise PermanentError(f"{home} has no current adapter: {why}")
    return open_bundle(link.resolve())


def is_current(bundle: Bundle) -> bool:
    """Return whether this bundle is the one that speaks."""
    link = bundle.folder.parent / CURRENT
    return link.exists() and link.resolve() == bundle.folder.resolve()


def open_bundle(folder: Path) -> Bundle:
    """Return the bundle in `folder`, every file checked against its seal. Raises PermanentError naming the file at
    fault."""
    seal = read_seal(folder)
    for name, expected in seal.files.items():
        path = folder / name
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise PermanentError(f"{folder / SEAL} names a file outside the bundle ({name}); it is not to be trusted")
        if not path.is_file():
            raise PermanentError(f"{path} is missing from the sealed bundle; bring the bundle again or train anew")
        if _sha256(path) != expected:
            raise PermanentError(f"{path} was changed after it was sealed; bring the bundle again or train anew")
    return Bundle(folder, seal)


def versions(home: Path) -> list[int]:
    """Return the sealed versions in `home`, oldest first."""
    return sorted(
        int(entry.name) for entry in home.glob("[0-9]*") if entry.name.isdecimal() and (entry / SEAL).is_file()
    )


def read_seal(folder: Path) -> Seal:
    """Return the seal of the bundle in `folder`; the files it speaks of are not looked at. Raises PermanentError."""
    path = folder / SEAL
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PermanentError(
            f"{folder} has no {SEAL}: training did not finish; run 'python -m trainer train'"
        ) from None
    except (OSError, ValueError) as error:
        raise PermanentError(f"{path} can't be read ({error}); bring the bundle again or train anew") from error
    sealed_format = content.get("format") if isinstance(content, dict) else None
    if sealed_format != FORMAT:
        raise PermanentError(
            f"{path} has format {sealed_format}, this alterego reads format {FORMAT}; update alterego or train anew"
        )
    try:
        seal = Seal.model_validate(content)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise PermanentError(f"{path} is no valid seal (at {where}); bring the bundle again or train anew") from error
    if seal.digest != _digest_of(content | {"digest": ""}):
        raise PermanentError(f"{path} was changed after it was sealed; bring the bundle again or train anew")
    if seal.transcript != transcript.FORMAT:
        raise PermanentError(
            f"{path} was trained on transcript format {seal.transcript}, this alterego speaks {transcript.FORMAT}; train anew"
        )
    return seal


def _digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _names(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != SEAL
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _take_next_version(folder: Path) -> Path:
    home = folder.parent
    number = max([0, *(int(entry.name) for entry in home.iterdir() if entry.name.isdecimal())]) + 1
    for candidate in range(number, number + 100):  # another training may publish at the same moment
        try:
            return folder.rename(home / str(candidate))
        except OSError:
            continue
    raise UserError(f"{home} gives no free version number; look at who else writes there")


def _sweep(home: Path) -> None:
    for leftover in leftover_drafts(home):
        shutil.rmtree(leftover, ignore_errors=True)


def leftover_drafts(home: Path) -> list[Path]:
    """Return the drafts that killed processes left behind."""
    pids = {draft: draft.name.split("-")[1] for draft in home.glob(".draft-*")}
    return [draft for draft, pid in pids.items() if pid.isdecimal() and not psutil.pid_exists(int(pid))]
