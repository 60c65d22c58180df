"""Bases that can't be: told in a sentence within seconds, with what may be meant."""

import socket
import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from engine.base_source import gguf_file
from engine.dequantise import located_base
from persona.config import Settings, load
from persona.errors import SettingsError, UserError
from trainer.base.reachability import HUB_SECONDS, impossible_base, require_base, require_reachable
from trainer.init.machine import named_base


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scrach", "did you mean 'scratch'?"),
        ("smolm2", "did you mean 'smollm2'?"),
        ("llama3", "did you mean 'meta-llama/Llama-3.2-1B'?"),
        ("Qwen3-0.6B", "did you mean 'Qwen/Qwen3-0.6B-Base'?"),
        ("something", "such as 'Qwen/Qwen3-0.6B-Base'"),
        ("./models/mine", "there is no folder or GGUF file ./models/mine"),
        ("models/mine.gguf", "there is no folder or GGUF file models/mine.gguf"),
        ("/srv/models/mine", "there is no folder or GGUF file"),
        ("https://hub.example/Qwen/Qwen3-0.6B-Base/tree/main", "did you mean 'Qwen/Qwen3-0.6B-Base'?"),
        ("https://", "name a model, or a folder"),
        ("日本語/モデル", "'日本語/モデル' is neither a folder here nor a name that a model of the Hub can have"),
        ("My models/llama3", "neither a folder here nor"),
        ("a..b/c", "neither a folder here nor"),
        ("x--y/z", "neither a folder here nor"),
        ("~nosuchuser/model", "there is no folder or GGUF file ~nosuchuser/model"),
    ],
)
def test_what_can_be_no_base_is_told_with_a_suggestion(text: str, words: str) -> None:
    """Without asking anybody."""
    assert words in impossible_base(text)


def test_an_owner_and_a_name_may_be_a_model() -> None:
    """With or without a revision: the Hub has to say."""
    assert impossible_base("Qwen/Qwen3-0.6B-Base") == ""
    assert impossible_base("Qwen/Qwen3-0.6B-Base@main") == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("日本語/モデル", "neither a folder here nor"),
        ("org/name@main", 'model = "org/name", revision = "main"'),
        ("org/name@", 'model = "org/name", revision = "main"'),
        ("~nosuchuser/x.gguf", "there is no file .*nosuchuser/x.gguf"),
        ("x" * 300, "no base is called"),
    ],
)
def test_a_name_that_can_be_no_base_is_told_before_a_training(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        require_base(settings_with(tmp_path, name))


def test_a_folder_below_home_is_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To all who ask: what is suggested, what is asked for, and what is trained."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "日本語" / "my..models@home"
    folder.mkdir(parents=True)
    (folder / "config.json").touch()
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    settings = settings_with(tmp_path, "~/日本語/my..models@home")
    require_base(settings)
    assert located_base(settings) == folder
    assert gguf_file(settings_with(tmp_path, "~/model.gguf")) == tmp_path / "model.gguf"
    assert named_base("~/model.gguf", tmp_path, lambda name: "").model == "~/model.gguf"


def settings_with(folder: Path, model: str) -> Settings:
    (folder / "persona.toml").write_text(f'[persona]\nname = "Ana"\n[base]\nmodel = "{model}"\n', encoding="utf-8")
    return load(folder / "persona.toml")


@pytest.mark.parametrize("answers", [False, None])
def test_a_hub_that_does_not_answer_is_told_within_seconds(
    answers: bool | None, free_port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where nobody listens, and where somebody does who never says a word; nothing of it is retried or logged."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        port = free_port if answers is False else silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(UserError, match="can't be asked for nobody/nothing"):
            require_reachable("nobody/nothing", "main", endpoint=f"http://127.0.0.1:{port}")
        assert time.monotonic() - began < HUB_SECONDS + 2
    assert capfd.readouterr() == ("", "")
