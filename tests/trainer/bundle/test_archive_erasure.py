"""Who is forgotten goes out of every adapter's archive too: out of their own words, and of other people's."""

from pathlib import Path

import pytest

from persona.archive.index import FILE, Archive, build
from persona.archive.passages import Passage
from persona.bundle import BaseModelSeal, Bundle, Seal, draft, open_bundle, publish, replace_sealed
from persona.errors import PermanentError
from persona.transcript import Quote, Turn
from trainer.bundle.archive_erasure import erase_from_archives

NAME = f"private/{FILE}"
SHARED = Passage(
    (Turn("ZELDA", ("the lamp is in the tree",)), Turn("MARA", ("zelda!",), Quote("ZELDA", "the lamp"))), "group"
)
OTHER = Passage((Turn("BOB", ("hello",)), Turn("MARA", ("hi",))), "group", conversation="other")
DM = Passage((Turn("MARA", ("only you know",)),), "dm", conversation="dm", dm="ZELDA")


def sealed(home: Path, *passages: Passage) -> Bundle:
    base = BaseModelSeal(model="scratch", weights="abc", architecture="qwen3")
    seal = Seal(speaker="MARA", speakers={}, end_of_turn=0, stops=(0,), max_length=64, base=base)
    with draft(home) as folder:
        if passages:
            build(folder / NAME, passages)
        return publish(folder, seal)


def masked(text: str) -> str:
    return text.replace("zelda", "[…]")


def test_nothing_of_them_is_left_in_any_archive(tmp_path: Path) -> None:
    """Their turns, quotes of them, their name in the words of others, and their DMs; the seal holds again."""
    first, second, third = sealed(tmp_path, SHARED, OTHER, DM), sealed(tmp_path), sealed(tmp_path, SHARED)
    assert erase_from_archives(tmp_path, {"ZELDA"}, masked) == 3
    for bundle in (first, second, third):
        open_bundle(bundle.folder)
    assert list(Archive.open(first.folder / NAME).passages()) == [Passage((Turn("MARA", ("[…]!",)),), "group"), OTHER]
    for bundle in (first, third):
        content = (bundle.folder / NAME).read_bytes().lower()
        assert b"zelda" not in content and b"lamp" not in content
        assert (bundle.folder / NAME).stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in bundle.private.iterdir()) == [FILE]
    assert erase_from_archives(tmp_path, {"ZELDA"}, masked) == 0


def test_what_holds_nothing_of_them_stays_as_it_is(tmp_path: Path) -> None:
    """To the byte."""
    bundle = sealed(tmp_path, OTHER)
    before = (bundle.folder / "persona.json").read_bytes()
    assert erase_from_archives(tmp_path, {"ZELDA"}, masked) == 0
    assert (bundle.folder / "persona.json").read_bytes() == before


def test_an_archive_that_cannot_be_read_is_removed(tmp_path: Path) -> None:
    """Nobody can say what is in it."""
    bundle = sealed(tmp_path, SHARED)
    (bundle.folder / NAME).write_bytes(b"no archive")
    assert erase_from_archives(tmp_path, {"ZELDA"}, masked) == 0
    assert NAME not in open_bundle(bundle.folder).seal.files
    assert not (bundle.folder / NAME).exists()


def test_cut_short_a_bundle_is_whole_without_its_archive(tmp_path: Path) -> None:
    """At no moment does the seal vouch for what is not there."""
    bundle = sealed(tmp_path, SHARED)
    with pytest.raises(FileNotFoundError):
        replace_sealed(bundle, NAME, tmp_path / "nothing")
    assert NAME not in open_bundle(bundle.folder).seal.files
    with pytest.raises(PermanentError):
        Archive.open(bundle.folder / NAME)
