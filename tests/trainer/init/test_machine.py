"""Which base a machine gets, and what a name on the Hub stands for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from persona.errors import SettingsError, UserError
from tests.fakes.fake_hub import TOKEN, FakeHub
from trainer.init.local_models import LocalModel
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


def local(name: str, billions: float, *, instruct: bool = False) -> LocalModel:
    return LocalModel(name, f"/models/{name}.gguf", billions, instruct, "LM Studio")


@pytest.mark.parametrize(
    ("machine", "model", "quantize"),
    [
        (Machine("cuda", 23, 8, 50_000), "Qwen/Qwen3-8B-Base", "none"),
        (Machine("cuda", 14.6, 2, 20_000), "Qwen/Qwen3-8B-Base", "4bit"),
        (Machine("cuda", 7.5, 2, 20_000), "Qwen/Qwen3-4B-Base", "4bit"),
        (Machine("cuda", 3, 8, 5_000), "scratch", "none"),
        (Machine("cpu", 12, 8, 187), "Qwen/Qwen3-1.7B-Base", "none"),
        (Machine("cpu", 12, 8, 70), "Qwen/Qwen3-0.6B-Base", "none"),
        (Machine("cpu", 60, 32, 1_870), "Qwen/Qwen3-8B-Base", "none"),
        (Machine("cpu", 12, 8, 10), "scratch", "none"),
        (Machine("cpu", 4, 16, 930), "scratch", "none"),
        (Machine("mps", 12, 8, 1_400), "Qwen/Qwen3-4B-Base", "none"),
    ],
)
def test_the_base_is_the_largest_that_the_machine_trains(machine: Machine, model: str, quantize: str) -> None:
    """By free memory and measured speed, in 4 bits on a card if a much larger one fits by that; a model of the Hub comes
    with the commit that is there today."""
    base = suggest(machine, known).base
    assert (base.model, base.quantize) == (model, quantize)
    assert base.revision == ("main" if model == "scratch" else "c0ffee")


def test_a_base_model_that_is_here_is_suggested_first() -> None:
    """The largest that trains here; an instruct model only if there is no other, and the reason is said."""
    card = Machine("cuda", 23, 8, 50_000)
    models = [
        local("huge-base", 70),
        local("chatty-instruct", 3, instruct=True),
        local("plain-base", 1),
        local("s", 0.1),
    ]
    suggested = suggest(card, known, models)
    assert suggested.base.model == "/models/plain-base.gguf"
    assert "plain-base is in LM Studio already" in suggested.why
    assert suggest(card, known, models[1:2]).base.model == "Qwen/Qwen3-8B-Base"
    assert suggest(card, known, [local("stories", 0.015)]).base.model == "Qwen/Qwen3-8B-Base"
    instruct = suggest(card, unreachable, models[1:2])
    assert instruct.base.model == "/models/chatty-instruct.gguf"
    assert "base models imitate better" in instruct.why


def test_a_cpu_is_told_how_long_it_takes() -> None:
    """In minutes or hours, by its measured speed."""
    assert "train in about 32 minutes" in suggest(Machine("cpu", 12, 8, 1_400), known).why
    assert "train in about 4 hours" in suggest(Machine("cpu", 12, 8, 70), known).why


def test_without_the_hub_a_base_is_grown() -> None:
    """And the reason is said."""
    suggested = suggest(Machine("cuda", 23, 8, 50_000), unreachable)
    assert suggested.base.model == "scratch"
    assert "the Hugging Face Hub can't be reached" in suggested.why


def test_a_named_base_is_a_folder_a_model_or_scratch(tmp_path: Path) -> None:
    """A revision that is named is taken unasked; a name nobody knows is a fault."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").touch()
    (tmp_path / "photos").mkdir()
    (tmp_path / "blob").write_bytes(b"GGUF....")
    for text, expected in {
        "scratch": ("scratch", "main"),
        "mine": ("mine", "main"),
        "blob": ("blob", "main"),
        "smollm2": ("smollm2", "main"),
        "a/b": ("a/b", "c0ffee"),
        "a/b@v1": ("a/b", "v1"),
    }.items():
        base = named_base(text, tmp_path, known)
        assert (base.model, base.revision) == expected
    assert named_base("a/b@v1", tmp_path, unreachable).revision == "v1"
    with pytest.raises(UserError, match="there is no folder a/b, and the Hugging Face Hub can't be asked"):
        named_base("a/b", tmp_path, unreachable)
    with pytest.raises(SettingsError, match=r"photos is a folder without config\.json"):
        named_base("photos", tmp_path, known)
    with pytest.raises(SettingsError, match="no base is called 'xxx"):
        named_base("x" * 300, tmp_path, known)
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
    assert machine.gflops > 0
