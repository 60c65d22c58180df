"""What the beginning of a GGUF file tells, as the trainer's own writer wrote it."""

import struct
from pathlib import Path

from engine.gguf_header import header_fields, kv_bytes_per_token
from tests.engine.stepping import ENCODING
from tests.trainer import bases
from trainer.bundle.gguf_file import write_gguf


def test_the_shape_is_read_and_no_list(tmp_path: Path) -> None:
    """Sizes, names and numbers; the tokenizer's lists come after."""
    model = bases.qwen3(ENCODING.vocabulary)
    write_gguf(model, ENCODING, tmp_path / "model.gguf")
    fields = header_fields(tmp_path / "model.gguf")
    assert fields["general.architecture"] == "qwen3"
    assert fields["qwen3.block_count"] == model.config.num_hidden_layers
    config = model.config
    bytes_per_layer = config.num_key_value_heads * config.head_dim * 2 * 2
    assert kv_bytes_per_token(tmp_path / "model.gguf") == config.num_hidden_layers * bytes_per_layer


def test_what_is_no_gguf_tells_nothing(tmp_path: Path) -> None:
    """Whoever loads it says what is wrong."""
    start = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    for content in (b"", b"no model", b"x" * 50, start, start + b"\xff" * 40, start + struct.pack("<Q", 9) + b"abc"):
        (tmp_path / "model.gguf").write_bytes(content)
        assert kv_bytes_per_token(tmp_path / "model.gguf") == 0, content
    assert kv_bytes_per_token(tmp_path / "none.gguf") == 0
