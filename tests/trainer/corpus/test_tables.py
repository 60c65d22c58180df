"""Tables on disk: a thread writes each while the next is put together."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from trainer.corpus import tables
from trainer.corpus.row import Row
from trainer.corpus.tables import read_rows, write_rows


def rows(count: int) -> list[Row]:
    return [
        Row("t", "T", "c", "group", str(number), "t:1", float(number), (f"say {number}",)) for number in range(count)
    ]


def test_rows_are_read_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    """Over several tables."""
    written = rows(3 * tables._ROWS_AT_ONCE // 2)
    write_rows(tmp_path / "messages.parquet", written)
    assert list(read_rows(tmp_path / "messages.parquet", ["t:1"])) == written
    write_rows(tmp_path / "messages.parquet", [])
    assert list(read_rows(tmp_path / "messages.parquet", [])) == []


@pytest.mark.parametrize("fails_at", [0, 1])
def test_a_table_that_can_not_be_written_is_a_fault(tmp_path: Path, fails_at: int) -> None:
    """In the thread, whichever table it is."""
    schema = pa.schema([("at", pa.float64())])

    def each() -> Iterator[pa.Table]:
        for number in range(2):
            yield pa.table({"other" if number == fails_at else "at": pa.array([1.0])})

    with pytest.raises(ValueError, match="schema"):
        tables._write(tmp_path / "t.parquet", schema, each())
