"""A bundle leaves as one file and arrives whole, or not at all."""

import io
import tarfile
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from engine.choose import encoding_of
from persona.archive.index import archive_of
from persona.archive.ranking import Cue
from persona.archive.recall import recall_passages
from persona.bundle import PRIVATE, current
from persona.config import Settings, load
from persona.errors import UserError
from tests.conftest import Home, run_here, sample_settings
from trainer.__main__ import app
from trainer.export.bundle_file import pack, unpack
from trainer.progress import Bars

QUIET = Bars(quiet=True)


@pytest.fixture
def away(trained: Home, tmp_path: Path) -> Path:
    """The session's bundle, packed."""
    return pack(current(load(trained.config, {}).adapters), tmp_path / "mara.tar", QUIET)


@pytest.fixture
def at_home(tmp_path: Path) -> Settings:
    return load(Home(tmp_path).settings(sample_settings()).config, {})


def test_a_bundle_arrives_as_it_left(away: Path, at_home: Settings, trained: Home) -> None:
    """Every file, under the next version, its private part closed; twice gives two versions."""
    before = current(load(trained.config, {}).adapters)
    for version in ("1", "2"):
        bundle = unpack(away, at_home, QUIET)
        assert bundle.folder.name == version
        assert bundle.seal == before.seal
        for name in bundle.seal.files:
            assert (bundle.folder / name).read_bytes() == (before.folder / name).read_bytes()
        assert (bundle.folder / PRIVATE).stat().st_mode & 0o777 == 0o700


def test_adopt_puts_it_on_the_air(away: Path, at_home: Settings) -> None:
    """By its command: the bot's next start speaks with it."""
    done = run_here(app, "python -m trainer", "adopt", str(away), "--config", str(at_home.root / "persona.toml"))
    assert done.returncode == 0, done.stderr
    assert "every file matches the seal" in done.stdout
    assert current(at_home.adapters).seal.speaker == "MARA VOSS"


def test_what_comes_to_mind_travels_with_it(away: Path, at_home: Settings, trained: Home) -> None:
    """The same words remind of the same passages, as well as before."""
    before, adopted = current(load(trained.config, {}).adapters), unpack(away, at_home, QUIET)
    with closing(archive_of(before)) as old, closing(archive_of(adopted)) as new:
        assert list(new.passages()) == list(old.passages())
        cues = [Cue(passage.turns) for passage in islice(old.passages(), 20)]
        answers = [recall_passages(old, cue, encoding_of(before), before.seal.max_length) for cue in cues]
        assert any(answers)
        assert answers == [recall_passages(new, cue, encoding_of(adopted), adopted.seal.max_length) for cue in cues]


def repacked(away: Path, change: str, content: bytes, *, kind: bytes = tarfile.REGTYPE) -> Path:
    """The packed bundle with one member more, or another in its place."""
    target = away.with_name("changed.tar")
    with tarfile.open(away) as old, tarfile.open(target, "w") as new:
        for member in old:
            if member.name != change:
                new.addfile(member, old.extractfile(member))
        extra = tarfile.TarInfo(change)
        extra.type, extra.size, extra.linkname = kind, len(content), "/etc/passwd"
        new.addfile(extra, io.BytesIO(content))
    return target


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("../escaped", tarfile.REGTYPE, "not to be trusted"),
        ("/tmp/escaped", tarfile.REGTYPE, "not to be trusted"),
        ("link", tarfile.SYMTYPE, "not to be trusted"),
        ("device", tarfile.CHRTYPE, "not to be trusted"),
        ("extra.txt", tarfile.REGTYPE, "not in the seal"),
        ("tokenizer.json", tarfile.REGTYPE, "was changed after it was sealed"),
        ("persona.json", tarfile.REGTYPE, "can't be read"),
    ],
)
def test_what_is_not_the_sealed_bundle_is_refused(
    away: Path, at_home: Settings, name: str, kind: bytes, sentence: str
) -> None:
    """And nothing of it stays."""
    content = b"evil" if kind == tarfile.REGTYPE else b""
    with pytest.raises(UserError, match=sentence):
        unpack(repacked(away, name, content, kind=kind), at_home, QUIET)
    assert not at_home.adapters.exists() or list(at_home.adapters.iterdir()) == []
    assert not (at_home.root / "escaped").exists()


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, b"PK\x03\x04" * 200])
def test_another_file_is_no_bundle(tmp_path: Path, at_home: Settings, content: bytes) -> None:
    """A sentence with its name."""
    (tmp_path / "other.tar").write_bytes(content)
    with pytest.raises(UserError, match=r"other\.tar (is|holds) no"):
        unpack(tmp_path / "other.tar", at_home, QUIET)


def test_a_file_that_was_cut_off_on_the_way_is_refused(away: Path, at_home: Settings) -> None:
    """As a broken download is."""
    away.write_bytes(away.read_bytes()[:200_000])
    with pytest.raises(UserError):
        unpack(away, at_home, QUIET)
    assert not at_home.adapters.exists() or list(at_home.adapters.iterdir()) == []


def test_another_person_s_voice_is_refused(away: Path, tmp_path: Path) -> None:
    """The settings say whose voice speaks here."""
    settings = load(Home(tmp_path).settings('[persona]\nname = "Zoe"\n').config, {})
    with pytest.raises(UserError, match="holds the voice of MARA VOSS, these settings are Zoe's"):
        unpack(away, settings, QUIET)
