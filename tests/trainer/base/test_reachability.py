"""Bases that can't be: told in a sentence within seconds, with what may be meant."""

import socket
import time

import pytest
from huggingface_hub import constants

from persona.errors import UserError
from trainer.base.reachability import HUB_SECONDS, impossible_base, require_reachable


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
    ],
)
def test_what_can_be_no_base_is_told_with_a_suggestion(text: str, words: str) -> None:
    """Without asking anybody."""
    assert words in impossible_base(text)


def test_an_owner_and_a_name_may_be_a_model() -> None:
    """With or without a revision: the Hub has to say."""
    assert impossible_base("Qwen/Qwen3-0.6B-Base") == ""
    assert impossible_base("Qwen/Qwen3-0.6B-Base@main") == ""


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
