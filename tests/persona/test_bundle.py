"""The bundle: sealed last, checked first, and nothing half-written."""

import json
from pathlib import Path

import pytest

from persona.bundle import (
    SEAL,
    BaseModelSeal,
    Bundle,
    Seal,
    Speaker,
    current,
    draft,
    open_bundle,
    point_current,
    publish,
    versions,
)
from persona.errors import PERMANENT, PermanentError


def seal() -> Seal:
    base = BaseModelSeal(model="scratch", weights="abc", architecture="qwen3")
    return Seal(
        speaker="ALICE",
        speakers={"ALICE": Speaker(name="Alice", tuned=True)},
        end_of_turn=0,
        stops=(0,),
        max_length=64,
        base=base,
    )


def sealed(home: Path) -> Bundle:
    with draft(home) as folder:
        (folder / "adapter_config.json").write_text("{}")
        (folder / "base").mkdir()
        (folder / "base" / "model.safetensors").write_bytes(b"weights")
        return publish(folder, seal())


def test_a_sealed_bundle_opens_and_current_points_at_it(tmp_path: Path) -> None:
    """Versions count up; the link is relative, so that the folder can be moved."""
    first, second = sealed(tmp_path / "alice"), sealed(tmp_path / "alice")
    point_current(first)
    point_current(second)
    assert versions(tmp_path / "alice") == [1, 2]
    assert (tmp_path / "alice" / "current").readlink() == Path("2")
    (tmp_path / "alice").rename(tmp_path / "moved")
    bundle = current(tmp_path / "moved")
    assert bundle.version == "2"
    assert bundle.seal.speaker == "ALICE"
    assert set(bundle.seal.files) == {"adapter_config.json", "base/model.safetensors"}
    assert bundle.private.stat().st_mode & 0o777 == 0o700


def test_a_draft_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle: the old bundle or none."""
    with pytest.raises(KeyboardInterrupt), draft(tmp_path / "alice") as folder:
        (folder / "adapter_config.json").write_text("{}")
        raise KeyboardInterrupt
    assert not (tmp_path / "alice").exists()


def test_the_draft_of_a_killed_process_is_swept_away(tmp_path: Path) -> None:
    """kill -9 runs no finally; the next training cleans up."""
    leftover = tmp_path / "alice" / ".draft-999999999-x"
    leftover.mkdir(parents=True)
    sealed(tmp_path / "alice")
    assert not leftover.exists()


@pytest.mark.parametrize("name", ["adapter_config.json", "base/model.safetensors"])
def test_a_changed_file_is_named(tmp_path: Path, name: str) -> None:
    """One bit is enough."""
    bundle = sealed(tmp_path)
    (bundle.folder / name).write_text("x")
    with pytest.raises(PermanentError, match=f"{name} was changed after it was sealed") as fault:
        open_bundle(bundle.folder)
    assert fault.value.exit_code == PERMANENT


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Half a copy is no bundle."""
    bundle = sealed(tmp_path)
    (bundle.folder / "adapter_config.json").unlink()
    with pytest.raises(PermanentError, match=r"adapter_config.json is missing"):
        open_bundle(bundle.folder)


def test_a_changed_seal_is_refused(tmp_path: Path) -> None:
    """The seal seals itself: another end_of_turn would never stop a reply."""
    bundle = sealed(tmp_path)
    path = bundle.folder / SEAL
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"end_of_turn": 7}))
    with pytest.raises(PermanentError, match=r"persona.json was changed"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "has no persona.json: training did not finish; run 'python -m trainer train'"),
        ("{", "can't be read"),
        ("[]", "has format None"),
        ('{"format": 99}', "has format 99, this alterego reads format 1"),
        ('{"format": 1}', "is no valid seal"),
    ],
)
def test_an_unsealed_folder_is_refused_with_what_to_do(tmp_path: Path, content: str | None, problem: str) -> None:
    """The sentence names the file."""
    folder = tmp_path / "3"
    folder.mkdir()
    if content is not None:
        (folder / SEAL).write_text(content)
    with pytest.raises(PermanentError, match=problem):
        open_bundle(folder)


def test_a_seal_cannot_name_files_outside(tmp_path: Path) -> None:
    """A bundle that comes from elsewhere is data, not to be trusted."""
    folder = tmp_path / "1"
    folder.mkdir()
    content = seal().signed({"../secret": "0" * 64}).model_dump(mode="json")
    (folder / SEAL).write_text(json.dumps(content))
    with pytest.raises(PermanentError, match="outside the bundle"):
        open_bundle(folder)


def test_without_a_current_adapter_the_sentence_says_what_to_run(tmp_path: Path) -> None:
    """A bot before any training."""
    with pytest.raises(PermanentError, match="run 'python -m trainer train'"):
        current(tmp_path / "alice")
