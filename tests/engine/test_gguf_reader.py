"""The gguf package's reader without long lists: what it reads else is what the package reads."""

from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import GGUFEndian

from engine.gguf_reader import LONGEST, ShortListsReader, short_lists

COUNT = LONGEST + 1
LONG = ("tokenizer.ggml.tokens", "tokenizer.ggml.scores")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Long lists of texts and of numbers, between short ones and before weights."""
    return written(tmp_path / "model.gguf", GGUFEndian.LITTLE)


def written(file: Path, order: GGUFEndian) -> Path:
    writer = gguf.GGUFWriter(file, "llama", endianess=order)
    writer.add_array("general.tags", ["a", "bc"])
    writer.add_array(LONG[0], [f"token {number}" for number in range(COUNT)])
    writer.add_array("llama.attention.head_count_kv", [4, 0, 4])
    writer.add_array(LONG[1], [float(number) for number in range(COUNT)])
    writer.add_uint32("llama.block_count", 3)
    writer.add_tensor("output_norm.weight", np.arange(64, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def test_all_but_long_lists_is_what_the_package_reads(file: Path) -> None:
    """Long ones are as long as they are: some sizes of a model are told by nothing else."""
    ours, theirs = ShortListsReader(file), gguf.GGUFReader(file)
    assert list(ours.fields) == list(theirs.fields)
    for name, field in theirs.fields.items():
        if name in LONG:
            assert len(ours.fields[name].data) == len(field.data) == COUNT
            assert len(ours.fields[name].parts) < 10
        else:
            assert ours.fields[name].contents() == field.contents()
    (mine,), (weights,) = ours.tensors, theirs.tensors
    assert mine.name == weights.name
    assert np.array_equal(mine.data, weights.data)


def test_the_other_order_of_bytes_is_left_to_the_package(tmp_path: Path) -> None:
    """Files of big-endian machines."""
    reader = ShortListsReader(written(tmp_path / "big.gguf", GGUFEndian.BIG))
    assert reader.fields[LONG[0]].contents(COUNT - 1) == f"token {COUNT - 1}"
    assert reader.fields["llama.block_count"].contents() == 3


def test_transformers_reads_by_it_meanwhile_and_not_after(file: Path) -> None:
    """Also where the reading fails."""
    theirs = gguf.GGUFReader
    with pytest.raises(ValueError, match="magic"), short_lists():
        assert gguf.GGUFReader is ShortListsReader
        gguf.GGUFReader(Path(__file__))
    assert gguf.GGUFReader is theirs
