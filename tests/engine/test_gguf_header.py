"""What the beginning of a GGUF file tells, as the trainer's own writer wrote it."""

import struct
from pathlib import Path

import gguf
import pytest

from engine.gguf_header import is_of_text, kv_bytes_per_token, read_header
from tests.engine.stepping import ENCODING
from tests.trainer import bases
from trainer.bundle.gguf_file import write_gguf


def test_fields_and_shapes_are_those_of_the_gguf_package(tmp_path: Path) -> None:
    """Behind the tokenizer's lists, too."""
    file = tmp_path / "model.gguf"
    model = bases.qwen3(ENCODING.vocabulary)
    write_gguf(model, ENCODING, file)
    header, reader = read_header(file), gguf.GGUFReader(file)
    said = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert header.fields == {name: None if isinstance(value, list) else value for name, value in said.items()}
    assert header.shapes == {tensor.name: tuple(tensor.shape) for tensor in reader.tensors}
    config = model.config
    bytes_per_layer = config.num_key_value_heads * config.head_dim * 2 * 2
    assert kv_bytes_per_token(file) == config.num_hidden_layers * bytes_per_layer


def test_a_long_text_is_a_field(tmp_path: Path) -> None:
    """Some converters put a whole tokenizer.json there."""
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_string("tokenizer.huggingface.json", "x" * 3_000_000)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert len(str(read_header(tmp_path / "model.gguf").fields["tokenizer.huggingface.json"])) == 3_000_000


def test_what_sees_and_hears_is_not_of_the_text() -> None:
    others = (
        "v.blk.0.attn_q.weight",
        "mm.input_projection.weight",
        "a.conv1d.1.bias",
        "mtp.fc.weight",
        "rope_freqs.weight",
    )
    assert not any(map(is_of_text, others))
    assert all(map(is_of_text, ("blk.0.attn_v.weight", "token_embd.weight", "output_norm.weight")))


START = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)  # one field, no weight
NAMED = START + struct.pack("<Q", 1) + b"x"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no model",
        b"x" * 50,
        START,
        START + b"\xff" * 40,
        START + struct.pack("<Q", 9) + b"abc",
        NAMED + struct.pack("<I", 77),  # no such kind of value
        NAMED + struct.pack("<IIQ", 9, 8, 1 << 60),  # a list longer than any
        NAMED + struct.pack("<IIQQ", 9, 8, 2, 1 << 63),  # of a text longer than any
        NAMED + struct.pack("<IIQ", 9, 9, 1),  # of lists
        b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"w" + struct.pack("<I", 1 << 31),  # of two billion dimensions
    ],
)
def test_what_is_no_gguf_tells_nothing(tmp_path: Path, content: bytes) -> None:
    """Whoever loads it says what is wrong."""
    (tmp_path / "model.gguf").write_bytes(content)
    assert kv_bytes_per_token(tmp_path / "model.gguf") == 0
    assert kv_bytes_per_token(tmp_path / "none.gguf") == 0
