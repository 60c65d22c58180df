"""Models on this machine are found where other programs keep them, and what they are for is told by name and template."""

from pathlib import Path

import pytest

from engine.base_source import gguf_file, is_instruct
from persona.config import Settings
from tests.trainer.init.model_files import hub, write_gguf, write_ollama, write_snapshot
from trainer.init.local_models import local_models


@pytest.mark.parametrize(
    ("name", "has_template", "instruct"),
    [
        ("Qwen/Qwen3-0.6B-Base", True, False),
        ("Qwen/Qwen3-0.6B", True, True),
        ("google/gemma-3-270m", False, False),
        ("google/gemma-3-270m-it", True, True),
        ("google/gemma-3-1b-pt", False, False),
        ("HuggingFaceTB/SmolLM2-135M", False, False),
        ("SmolLM2-135M-Instruct.Q4_1", False, True),
        ("meta-llama/Llama-3.2-1B", False, False),
        ("llama3.2:latest", True, True),
        ("mistralai/Ministral-3-3B-Base-2512", True, False),
        ("somebody/kitten-123m", False, False),
    ],
)
def test_instruct_models_are_told_apart(name: str, has_template: bool, instruct: bool) -> None:
    """By their names, else by a chat template."""
    assert is_instruct(name, has_template=has_template) is instruct


@pytest.mark.parametrize(
    ("template", "renderer", "instruct"),
    [
        ("<start_of_turn>user\n{{ .Prompt }}<end_of_turn>\n<start_of_turn>model\n", "", True),
        ("{{- range .Messages }}{{ .Role }}{{ end }}", "", True),
        ("", "qwen3-coder", True),
        ("{{ .Prompt }}", "", False),
        ("{{- .Prompt -}}\n", "", False),
        ("{{- if .Suffix }}<pre>{{ .Prompt }}<suf>{{ .Suffix }}<mid>\n{{- else }}{{ .Prompt }}\n{{- end }}", "", False),
        ("{{- if .Suffix }}<pre>{{ .Prompt }}{{ else }}<|im_start|>user\n{{ .Prompt }}{{ end }}", "", True),
    ],
)
def test_what_ollama_chats_with_is_no_base_model(tmp_path: Path, template: str, renderer: str, instruct: bool) -> None:
    """By what it keeps beside the file, which says nothing of it; text as it is is the prompt of a base model."""
    write_ollama(tmp_path, "gemma3", "4b", "abcd", template=template, renderer=renderer)
    (model,) = local_models(tmp_path / "home", {"OLLAMA_MODELS": str(tmp_path)})
    assert (model.name, model.instruct) == ("gemma3:4b", instruct)


def test_models_of_other_programs_are_found(tmp_path: Path) -> None:
    """With their sizes, the largest first; what is no language model, unreadable or a part of another is left out."""
    cache = hub(tmp_path)
    write_snapshot(cache, "some/model-base")
    write_snapshot(cache, "some/embedder", "BertModel", "bert")
    write_snapshot(cache, "some/adapter-base", files=("adapter_model.safetensors",))
    blob = write_ollama(tmp_path / ".ollama" / "models", "llama3.2", "1b", "abcd")
    studio = tmp_path / ".lmstudio" / "models" / "me" / "tiny"
    write_gguf(studio / "tiny-base.gguf", template=False)
    write_gguf(studio / "big-00001-of-00002.gguf", template=False)
    write_gguf(studio / "nomic-embed-text-v1.5.gguf", template=False, architecture="nomic-bert", vectors=True)
    write_gguf(studio / "qwen3-embedding.gguf", template=False, architecture="qwen3", vectors=True)
    write_gguf(studio / "qwen2.5vl.gguf", template=True, architecture="qwen25vl")  # Ollama's own name
    write_gguf(studio / "gpt-oss-20b.gguf", template=True, architecture="gpt-oss")  # sinks
    write_gguf(studio / "gemma-4.gguf", template=True, architecture="gemma4")
    write_gguf(studio / "lora.gguf", template=False, kind="adapter")
    write_gguf(studio / "Qwen3.5-0.8B-Base.gguf", template=True, architecture="qwen35")
    write_gguf(studio / "Loud-Base.GGUF", template=False)
    (studio / "broken.gguf").write_bytes(b"GGUF and no more")
    (studio / "cut-base.gguf").write_bytes((studio / "tiny-base.gguf").read_bytes()[:100_000])
    (studio / "notes.txt").write_text("GGUF")
    models = local_models(tmp_path, {})
    assert [(model.name, model.place, model.instruct) for model in models] == [
        ("some/model-base", "the Hub's cache", False),
        ("llama3.2:1b", "Ollama", True),
        ("Loud-Base", "LM Studio", False),
        ("Qwen3.5-0.8B-Base", "LM Studio", False),
        ("tiny-base", "LM Studio", False),
    ]
    assert (models[0].model, models[0].revision, models[0].billions) == ("some/model-base", "c0ffee", 2e-4)
    assert models[1].billions == pytest.approx(6.4e-5)
    settings = Settings.model_validate({"persona": {"name": "Mara"}, "base": {"model": models[1].model}})
    assert gguf_file(settings) == blob


def test_folders_can_be_named_in_the_environment(tmp_path: Path) -> None:
    """As those programs read them; empty ones and none at all are no fault."""
    write_snapshot(tmp_path / "hub", "some/model-base")
    write_ollama(tmp_path / "ollama", "phi", "latest", "ef01")
    environment = {"HF_HUB_CACHE": str(tmp_path / "hub"), "OLLAMA_MODELS": str(tmp_path / "ollama")}
    assert {model.name for model in local_models(tmp_path / "home", environment)} == {"some/model-base", "phi:latest"}
    assert local_models(tmp_path / "home", {"OLLAMA_MODELS": str(tmp_path / "nowhere")}) == []


@pytest.mark.parametrize(
    ("name", "value", "folder"),
    [
        ("HF_HUB_CACHE", "~/hub", "hub"),
        ("HF_HOME", "~/hf", "hf/hub"),
        ("XDG_CACHE_HOME", "~/caches", "caches/huggingface/hub"),
    ],
)
def test_the_hubs_cache_is_where_its_library_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, folder: str
) -> None:
    """Which expands what a service or a notebook leaves as it is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    write_snapshot(tmp_path / folder, "some/model-base")
    assert [model.name for model in local_models(tmp_path, {name: value})] == ["some/model-base"]


def test_gguf_files_of_the_hub_are_found(tmp_path: Path) -> None:
    """By their paths, one for each file, though a second commit links to it too."""
    blob = hub(tmp_path) / "models--some--Model-GGUF" / "blobs" / "abcd"
    write_gguf(blob, template=False)
    for commit in ("c0ffee", "decade"):
        file = blob.parents[1] / "snapshots" / commit / "Q8_0" / "model-base.gguf"
        file.parent.mkdir(parents=True)
        file.symlink_to(blob)
    (model,) = local_models(tmp_path, {})
    assert (model.name, model.place, model.instruct) == ("model-base", "the Hub's cache", False)
    settings = Settings.model_validate({"persona": {"name": "Mara"}, "base": {"model": model.model}})
    named = gguf_file(settings)
    assert named is not None
    assert named.resolve() == blob
