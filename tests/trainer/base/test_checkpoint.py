"""What a folder of safetensors is, told by its config and headers: as transformers would load it."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from trainer.base.checkpoint import count_parameters, is_language_model

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


@pytest.mark.parametrize(
    ("architecture", "model_type", "more"),
    [
        ("WhisperForConditionalGeneration", "whisper", {"is_encoder_decoder": True}),
        ("WhisperForConditionalGeneration", "whisper", {}),
        ("T5ForConditionalGeneration", "t5", {"is_encoder_decoder": True}),
        ("Florence2ForConditionalGeneration", "florence2", {"is_encoder_decoder": True}),
        ("BertForMaskedLM", "bert", {}),
        ("BertLMHeadModel", "bert", {}),
        ("Qwen3ForSequenceClassification", "qwen3", {}),
        ("OwnForCausalLM", "own", {"auto_map": {"AutoModelForCausalLM": "modeling_own.OwnForCausalLM"}}),
        ("Qwen3ForCausalLM", "qwen3", {"quantization": {"group_size": 64, "bits": 4}}),
        ("LlamaForCausalLM", "llama", {"quantization_config": {"quant_method": "awq"}}),
        ("LlamaForCausalLM", "llama", {"quantization_config": {"quant_method": "compressed-tensors"}}),
    ],
)
def test_what_train_would_not_take_is_refused(architecture: str, model_type: str, more: dict[str, object]) -> None:
    """Encoders, what runs code of its own, and rounded weights."""
    assert not is_language_model({"architectures": [architecture], "model_type": model_type, **more})


@pytest.mark.parametrize(
    ("architecture", "model_type", "more"),
    [
        ("Gemma3ForConditionalGeneration", "gemma3", {}),
        ("Phi3ForCausalLM", "phi3", {"auto_map": {"AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}}),
        ("LlamaForCausalLM", "llama", {"quantization_config": None, "is_encoder_decoder": False}),
    ],
)
def test_what_train_takes_is_none_of_these(architecture: str, model_type: str, more: dict[str, object]) -> None:
    """What sees too, and what has code of its own that transformers doesn't need."""
    assert is_language_model({"architectures": [architecture], "model_type": model_type, **more})


def write_weights(folder: Path, *names: str) -> None:
    """Write 200 numbers a file."""
    for name in names:
        save_file({"w": np.zeros((20, 10), np.float16)}, folder / name, {"format": "pt"})


def test_the_weights_are_those_that_transformers_loads(tmp_path: Path) -> None:
    """The whole file, else the shards that its index names; what lies beside them is for other programs, or an adapter's."""
    write_weights(tmp_path, *SHARDS, "consolidated.safetensors", "adapter_model.safetensors")
    index = {"weight_map": {"v": SHARDS[0], "w": SHARDS[1], "x": SHARDS[1]}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert count_parameters(tmp_path) == 400
    write_weights(tmp_path, "model.safetensors")
    assert count_parameters(tmp_path) == 200


def test_half_a_checkpoint_has_no_size(tmp_path: Path) -> None:
    """Neither without its weights, nor with some of its shards, nor with a file that is cut off."""
    write_weights(tmp_path, "adapter_model.safetensors")
    with pytest.raises(FileNotFoundError):
        count_parameters(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict(zip("vw", SHARDS, strict=True))})
    )
    write_weights(tmp_path, SHARDS[0])
    with pytest.raises(FileNotFoundError):
        count_parameters(tmp_path)
    write_weights(tmp_path, SHARDS[1])
    (tmp_path / SHARDS[1]).write_bytes((tmp_path / SHARDS[1]).read_bytes()[:-1])
    with pytest.raises(SafetensorError):
        count_parameters(tmp_path)
