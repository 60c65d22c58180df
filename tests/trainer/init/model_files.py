"""Writes models as the Hub's cache, Ollama and LM Studio keep them."""

import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import save_file


def hub(home: Path) -> Path:
    return home / ".cache" / "huggingface" / "hub"


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


def write_snapshot(
    cache: Path,
    name: str,
    architecture: str = "Qwen3ForCausalLM",
    model_type: str = "qwen3",
    *,
    files: tuple[str, ...] = ("model.safetensors",),
    **config: object,
) -> Path:
    """Write a repository as the Hub's cache has it, with 200,000 numbers a file. Returns the snapshot's folder."""
    folder = cache / ("models--" + name.replace("/", "--"))
    snapshot = folder / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("c0ffee")
    config = {"architectures": [architecture], "model_type": model_type, **config}
    (snapshot / "config.json").write_text(json.dumps(config))
    for file in files:
        save_file({"w": np.zeros((2000, 100), np.float16)}, snapshot / file, {"format": "pt"})
    return snapshot


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
