"""Whatever lies in other programs' folders, `init` goes on."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.init.model_files import hub, write_snapshot
from trainer.init.local_models import local_models


def odd_config(content: bytes) -> Callable[[Path], object]:
    return lambda home: (write_snapshot(hub(home), "a/odd") / "config.json").write_bytes(content)


def odd_header(header: object) -> Callable[[Path], object]:
    words = json.dumps(header).encode()
    content = struct.pack("<Q", len(words)) + words
    return lambda home: (write_snapshot(hub(home), "a/odd") / "model.safetensors").write_bytes(content)


def odd_reference(content: bytes | None) -> Callable[[Path], object]:
    def write(home: Path) -> None:
        reference = write_snapshot(hub(home), "a/odd").parents[1] / "refs" / "main"
        reference.unlink()
        reference.mkdir() if content is None else reference.write_bytes(content)

    return write


def odd_manifest(content: object) -> Callable[[Path], object]:
    def write(home: Path) -> None:
        file = home / ".ollama" / "models" / "manifests" / "registry.example" / "library" / "odd" / "latest"
        file.parent.mkdir(parents=True)
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    return write


def layer(digest: object, kind: object = "application/vnd.ollama.image.model") -> dict[str, object]:
    return {"config": {"digest": "sha256:00"}, "layers": [{"mediaType": kind, "digest": digest}]}


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(odd_config(b'{"architectures": [null], "model_type": "qwen3"}'), id="architecture-null"),
        pytest.param(odd_config(b'{"architectures": 3, "model_type": "qwen3"}'), id="architectures-number"),
        pytest.param(odd_config(b'{"architectures": ["Qwen3ForCausalLM"], "model_type": []}'), id="type-list"),
        pytest.param(odd_config(b"[1]"), id="config-list"),
        pytest.param(odd_config(b"\xff\xfe"), id="config-bytes"),
        pytest.param(odd_config(b"[" * 200_000), id="config-deep"),
        pytest.param(odd_header({"w": {}}), id="header-no-shape"),
        pytest.param(odd_header([1]), id="header-list"),
        pytest.param(odd_header({"w": "x"}), id="header-text"),
        pytest.param(odd_reference(b"\xff\xfe"), id="reference-bytes"),
        pytest.param(odd_reference(b"a\0b"), id="reference-nul"),
        pytest.param(odd_reference(b"a" * 5000), id="reference-long"),
        pytest.param(odd_reference(None), id="reference-folder"),
        pytest.param(odd_manifest({"layers": 5}), id="layers-number"),
        pytest.param(odd_manifest({"layers": {"a": 1}}), id="layers-object"),
        pytest.param(odd_manifest(layer("sha256:00", kind=["x"])), id="kind-list"),
        pytest.param(odd_manifest(layer(None)), id="digest-null"),
        pytest.param(odd_manifest(layer("")), id="digest-empty"),
        pytest.param(odd_manifest(layer("a\0b")), id="digest-nul"),
        pytest.param(odd_manifest(layer("a" * 5000)), id="digest-long"),
        pytest.param(odd_manifest(b"[" * 200_000), id="manifest-deep"),
        pytest.param(odd_manifest(b"\xff" * 100), id="manifest-bytes"),
    ],
)
def test_what_cant_be_read_is_no_model(tmp_path: Path, write: Callable[[Path], object]) -> None:
    """Other programs' files may hold anything: the models beside them are offered all the same."""
    write_snapshot(hub(tmp_path), "good/model-base")
    write(tmp_path)
    assert [model.name for model in local_models(tmp_path, {})] == ["good/model-base"]
