"""Files, folders and links that appear whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from persona import atomic
from persona.errors import SettingsError, UserError


def test_a_file_is_replaced_once_it_is_whole_and_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old content stays until then; file and folder are synced in this order; only the owner can read it."""
    target = tmp_path / "out.txt"
    target.write_text("old")
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").readlink()))
    with atomic.replacing(target) as fresh:
        fresh.write_text("new")
        assert target.read_text() == "old"
        assert stat.S_IMODE(fresh.stat().st_mode) == 0o600
    assert target.read_text() == "new"
    assert synced == [fresh, tmp_path]
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    """Whatever was raised comes through."""
    target = tmp_path / "out.txt"
    atomic.write_whole(target, ["one", "two"], mode=0o644)
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    with pytest.raises(ZeroDivisionError):
        atomic.write_whole(target, (str(1 // number) for number in (1, 0)))
    assert target.read_text() == "onetwo"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_may_not_be_overwritten_stays(tmp_path: Path) -> None:
    """Even if it appeared while the new one was written."""
    target = tmp_path / "out.txt"
    with pytest.raises(FileExistsError), atomic.replacing(target, overwrite=False) as fresh:
        fresh.write_text("new")
        target.write_text("somebody else's")
    assert target.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_takes_its_name_when_it_is_full(tmp_path: Path) -> None:
    """An empty one is replaced, a full one is refused, a failed one is removed."""
    target = tmp_path / "model"
    target.mkdir()
    with atomic.new_folder(target) as fresh:
        (fresh / "a").write_text("1")
        assert not any(target.iterdir())
    assert (target / "a").read_text() == "1"
    with pytest.raises(UserError, match="is there already"), atomic.new_folder(target):
        pass
    with pytest.raises(ZeroDivisionError), atomic.new_folder(tmp_path / "other"):
        _ = 1 // 0
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_is_swapped(tmp_path: Path) -> None:
    """Over another one, and where there was none."""
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        atomic.replace_link(tmp_path / "current", version)
        assert (tmp_path / "current").resolve() == tmp_path / version
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2", "current"}


def test_a_place_where_no_file_can_be_is_a_sentence(tmp_path: Path) -> None:
    """A folder, and a folder that is not there."""
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "no" / "out.txt", "there is no folder")):
        with pytest.raises(SettingsError, match=words):
            atomic.write_whole(path, ["x"])
