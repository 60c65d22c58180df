"""Models on this machine are found where other programs keep them, and what they are for is told by name and template."""

import json
import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from engine.base_source import gguf_file, is_instruct
from persona.config import Settings
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


def write_gguf(
    path: Path, *, template: bool, architecture: str = "llama", vectors: bool = False, kind: str = "model"
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(kind)
    if vectors:
        writer.add_pooling_type(gguf.PoolingType.LAST)
    writer.add_tensor("token_embd.weight", np.zeros((1000, 64), dtype=np.float32))
    if template:
        writer.add_chat_template("{{ messages }}")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_snapshot(cache: Path, name: str, architecture: str) -> None:
    folder = cache / ("models--" + name.replace("/", "--"))
    snapshot = folder / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("c0ffee")
    (snapshot / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    header = json.dumps(
        {"__metadata__": {}, "w": {"dtype": "BF16", "shape": [2000, 100], "data_offsets": [0, 0]}}
    ).encode()
    (snapshot / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)


def write_ollama(models: Path, name: str, tag: str, digest: str, *, template: str = "", renderer: str = "") -> Path:
    """template: beside the file, "" for one inside. renderer: that writes its prompts instead of a template."""
    blob = models / "blobs" / f"sha256-{digest}"
    write_gguf(blob, template=not (template or renderer))
    manifest = models / "manifests" / "registry.example" / "library" / name / tag
    manifest.parent.mkdir(parents=True)
    kinds = {"template": f"{digest}01", "model": digest} if template else {"model": digest}
    layers = [
        {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{of}"} for kind, of in kinds.items()
    ]
    other = {"mediaType": "other", "digest": "sha256:00"}
    (models / "blobs" / f"sha256-{digest}01").write_text(template)
    (models / "blobs" / f"sha256-{digest}02").write_text(json.dumps({"renderer": renderer, "model_family": "qwen3"}))
    manifest.write_text(json.dumps({"config": {"digest": f"sha256:{digest}02"}, "layers": [other, *layers]}))
    return blob


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
    cache = tmp_path / ".cache" / "huggingface" / "hub"
    write_snapshot(cache, "some/model-base", "Qwen3ForCausalLM")
    write_snapshot(cache, "some/embedder", "BertModel")
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
    (studio / "broken.gguf").write_bytes(b"GGUF and no more")
    (studio / "notes.txt").write_text("GGUF")
    models = local_models(tmp_path, {})
    assert [(model.name, model.place, model.instruct) for model in models] == [
        ("some/model-base", "the Hub's cache", False),
        ("llama3.2:1b", "Ollama", True),
        ("Qwen3.5-0.8B-Base", "LM Studio", False),
        ("tiny-base", "LM Studio", False),
    ]
    assert (models[0].model, models[0].revision, models[0].billions) == ("some/model-base", "c0ffee", 2e-4)
    assert models[1].billions == pytest.approx(6.4e-5)
    settings = Settings.model_validate({"persona": {"name": "Mara"}, "base": {"model": models[1].model}})
    assert gguf_file(settings) == blob


def test_folders_can_be_named_in_the_environment(tmp_path: Path) -> None:
    """As those programs read them; empty ones and none at all are no fault."""
    write_snapshot(tmp_path / "hub", "some/model-base", "LlamaForCausalLM")
    write_ollama(tmp_path / "ollama", "phi", "latest", "ef01")
    environment = {"HF_HUB_CACHE": str(tmp_path / "hub"), "OLLAMA_MODELS": str(tmp_path / "ollama")}
    assert {model.name for model in local_models(tmp_path / "home", environment)} == {"some/model-base", "phi:latest"}
    assert local_models(tmp_path / "home", {"OLLAMA_MODELS": str(tmp_path / "nowhere")}) == []
