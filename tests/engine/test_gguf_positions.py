"""What a GGUF file says of rotary positions is in the model that is made of it."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from transformers import Gemma3TextConfig, LlamaConfig, PreTrainedConfig, StableLmConfig

from engine.gguf_header import GgufHeader
from engine.gguf_positions import complete_positions, require_unscaled

SIZE = 64  # of a head
LONG = {"type": "linear", "factor": 8.0}


def read(folder: Path, config: PreTrainedConfig, *, base: float = 10_000.0, **more: Any) -> dict[str, Any]:
    """The rotary positions of a config after it was completed from a file. more: scaling, dimensions, divisors."""
    path = folder / "model.gguf"
    writer = gguf.GGUFWriter(path, config.model_type)
    writer.add_rope_freq_base(base)
    writer.add_key_length(SIZE)
    for name, value in more.get("scaling", {}).items():
        add = (
            writer.add_string
            if isinstance(value, str)
            else writer.add_uint32
            if isinstance(value, int)
            else writer.add_float32
        )
        add(f"{config.model_type}.rope.scaling.{name}", value)
    if "dimensions" in more:
        writer.add_rope_dimension_count(more["dimensions"])
    writer.add_tensor("rope_freqs.weight" if "divisors" in more else "x", np.float32(more.get("divisors", [1.0])))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    complete_positions(config, gguf.GGUFReader(path))
    rope: dict[str, Any] = config.rope_parameters
    return rope


def llama3_divisors(factor: float, base: float) -> list[float]:
    """As llama.cpp computes them for Llama 3.1 and later."""
    divisors = []
    for number in range(SIZE // 2):
        wave = 2 * np.pi * base ** (2 * number / SIZE)
        smooth = (8192 / wave - 1) / 3
        divisors.append(1.0 if wave < 2048 else factor if wave > 8192 else 1 / ((1 - smooth) / factor + smooth))
    return divisors


def test_a_plain_file_is_left_alone(tmp_path: Path) -> None:
    """A scaling by one is none."""
    assert read(tmp_path, LlamaConfig())["rope_type"] == "default"
    assert read(tmp_path, LlamaConfig(), scaling={"type": "linear", "factor": 1.0})["rope_type"] == "default"


def test_llamas_frequencies_are_known(tmp_path: Path) -> None:
    """Llama 3.2 as Ollama and LM Studio have it: a tensor of divisors."""
    rope = read(tmp_path, LlamaConfig(), base=500_000.0, divisors=llama3_divisors(32.0, 500_000.0))
    assert (rope["rope_type"], rope["rope_theta"], rope["factor"]) == ("llama3", 500_000.0, pytest.approx(32))


def test_the_whole_contexts_positions_are_scaled_where_layers_differ(tmp_path: Path) -> None:
    """Gemma 3 from 4B on."""
    rope = read(tmp_path, Gemma3TextConfig(), base=1_000_000.0, scaling=LONG)
    assert (rope["full_attention"]["rope_type"], rope["full_attention"]["factor"]) == ("linear", 8.0)
    assert rope["sliding_attention"]["rope_type"] == "default"


def test_a_factor_alone_is_linear(tmp_path: Path) -> None:
    """As llama.cpp takes it."""
    rope = read(tmp_path, LlamaConfig(), scaling={"factor": 4.0})
    assert (rope["rope_type"], rope["factor"]) == ("linear", 4.0)


def test_yarn_is_read(tmp_path: Path) -> None:
    scaling = {"type": "yarn", "factor": 4.0, "original_context_length": 32768}
    rope = read(tmp_path, LlamaConfig(), scaling=scaling)
    assert (rope["rope_type"], rope["factor"], rope["original_max_position_embeddings"]) == ("yarn", 4.0, 32768)


def test_base_and_share_of_a_head_are_the_files(tmp_path: Path) -> None:
    """Which transformers doesn't look for in StableLM."""
    rope = read(tmp_path, StableLmConfig(), base=20_000.0, dimensions=32)
    assert (rope["rope_theta"], rope["partial_rotary_factor"]) == (20_000.0, 0.5)


@pytest.mark.parametrize("more", [{"scaling": {"type": "longrope", "factor": 32.0}}, {"divisors": [1.0] * 31 + [3.0]}])
def test_another_scaling_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="can't be read from GGUF"):
        read(tmp_path, LlamaConfig(), **more)


@pytest.mark.parametrize(
    ("kind", "factor", "refused"), [("yarn", 4.0, True), ("linear", 1.0, False), (None, 1.0, False)]
)
def test_a_scaling_that_nobody_reads_is_refused(kind: str | None, factor: float, refused: bool) -> None:
    """Qwen3.5's for long texts: transformers takes its positions for unscaled."""
    said: dict[str, str | float] = (
        {} if kind is None else {"qwen35.rope.scaling.type": kind, "qwen35.rope.scaling.factor": factor}
    )
    header = GgufHeader({"general.architecture": "qwen35", **said}, {})
    with pytest.raises(ValueError, match=r"scaled \(yarn\)") if refused else nullcontext():
        require_unscaled(header)
