"""Which base a machine gets, and what a name on the Hub stands for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from persona.errors import SettingsError, UserError
from tests.fakes.fake_hub import TOKEN, FakeHub
from trainer.init.machine import Machine, named_base, revision_of, suggest, this_machine


def known(_model: str) -> str:
    return "c0ffee"


def unreachable(_model: str) -> str:
    return ""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # its library may reach loopback here
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    fake = FakeHub()
    yield fake
    fake.stop()


@pytest.mark.parametrize(
    ("machine", "model"),
    [
        (Machine("cuda", 23, 8), "Qwen/Qwen3-8B-Base"),
        (Machine("cuda", 14.6, 2), "Qwen/Qwen3-4B-Base"),
        (Machine("cuda", 5.5, 8), "Qwen/Qwen3-0.6B-Base"),
        (Machine("cuda", 3, 8), "scratch"),
        (Machine("cpu", 12, 8), "Qwen/Qwen3-0.6B-Base"),
        (Machine("cpu", 12, 2), "scratch"),
        (Machine("cpu", 4, 16), "scratch"),
        (Machine("mps", 12, 8), "Qwen/Qwen3-0.6B-Base"),
    ],
)
def test_the_base_is_the_largest_that_the_machine_trains(machine: Machine, model: str) -> None:
    """By free memory and cores; a model of the Hub comes with the commit that is there today."""
    base = suggest(machine, known).base
    assert base.model == model
    assert base.revision == ("main" if model == "scratch" else "c0ffee")


def test_without_the_hub_a_base_is_grown() -> None:
    """And the reason is said."""
    suggested = suggest(Machine("cuda", 23, 8), unreachable)
    assert suggested.base.model == "scratch"
    assert "the Hugging Face Hub can't be reached" in suggested.why


def test_a_named_base_is_a_folder_a_model_or_scratch(tmp_path: Path) -> None:
    """A revision that is named is taken unasked; a name nobody knows is a fault."""
    (tmp_path / "mine").mkdir()
    for text, expected in {
        "scratch": ("scratch", "main"),
        "mine": ("mine", "main"),
        "a/b": ("a/b", "c0ffee"),
        "a/b@v1": ("a/b", "v1"),
    }.items():
        base = named_base(text, tmp_path, known)
        assert (base.model, base.revision) == expected
    assert named_base("a/b@v1", tmp_path, unreachable).revision == "v1"
    with pytest.raises(UserError, match="there is no folder a/b, and the Hugging Face Hub can't be asked"):
        named_base("a/b", tmp_path, unreachable)
    with pytest.raises(SettingsError, match="--base names nothing"):
        named_base(" ", tmp_path, known)


def test_the_hub_is_asked_for_the_commit(hub: FakeHub, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it refuses, an impossible name and a Hub out of reach are no commit."""
    assert revision_of("mara/voice", hub.url) == "0" * 40
    assert revision_of("no such name", hub.url) == ""
    assert revision_of("mara/voice", f"http://127.0.0.1:{free_port}") == ""
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert revision_of("mara/voice", hub.url) == ""


def test_this_machine_has_memory_and_cores() -> None:
    """Measured, wherever the tests run."""
    machine = this_machine()
    assert machine.device in ("cuda", "mps", "cpu")
    assert machine.memory > 0
    assert machine.cores >= 1
