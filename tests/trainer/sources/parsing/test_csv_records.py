"""Rows of CSV files."""

from io import BytesIO

import pytest

from trainer.sources.message import Reject
from trainer.sources.parsing.csv_records import MAX_FIELD_CHARS, csv_header, csv_rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rows_go_by_column_name(encoding: str) -> None:
    """With quotes and line breaks inside fields."""
    raw = 'a, b\r\n1,"two\r\n""lines"""\r\n\r\n3,é\r\n'.encode(encoding)
    assert csv_header(raw) == ["a", "b"]
    assert [found[1] for found in csv_rows(BytesIO(raw), "f") if isinstance(found, tuple)] == [
        {"a": "1", "b": 'two\r\n"lines"'},
        {"a": "3", "b": "é"},
    ]


def test_a_row_that_does_not_fit_is_told_verbatim() -> None:
    """With where it stands; the rows after it are read."""
    found = list(csv_rows(BytesIO(b'a,b\n1,2\n"x\ny"\n3,4\n'), "f"))
    assert found == [
        (4, {"a": "1", "b": "2"}),
        Reject(file="f", offset=8, reason="1 fields where the header names 2", raw='"x\ny"\n'),
        (14, {"a": "3", "b": "4"}),
    ]


def test_an_unclosed_quote_does_not_swallow_the_file_into_memory() -> None:
    """It ends at the longest field there can be."""
    raw = b'a,b\n1,"' + b"words\n" * (MAX_FIELD_CHARS // 3) + b"3,4\n"
    found = list(csv_rows(BytesIO(raw), "f"))
    assert isinstance(found[0], Reject)
    assert found[0].reason.startswith("no readable row")
    assert len(found[0].raw) <= MAX_FIELD_CHARS + 100
