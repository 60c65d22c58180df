"""Lines and blocks of texts, whatever their encoding and however long."""

from io import BytesIO

import pytest

from trainer.sources.message import Reject
from trainer.sources.parsing.lines import LONGEST, Block, blocks, head_lines, text_lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lines_are_split_at_line_feeds_alone(encoding: str) -> None:
    """Not at form feeds or U+2028, which stand in messages."""
    found = [line for _, line in text_lines(BytesIO("a\x0c\u2028b\r\n\nc".encode(encoding)))]
    assert found == ["a\x0c\u2028b", "", "c"]


def test_offsets_are_bytes() -> None:
    """As a Reject tells them."""
    assert list(text_lines(BytesIO("é\nb\n".encode()))) == [(0, "é"), (3, "b")]


def test_a_line_of_another_encoding_is_read_as_that() -> None:
    """Old logs mix them line by line."""
    assert [line for _, line in text_lines(BytesIO(b"caf\xe9\ncaf\xc3\xa9\n"))] == ["café", "café"]


def test_an_endless_line_comes_in_pieces() -> None:
    """Memory stays bounded."""
    found = [line for _, line in text_lines(BytesIO(b"x" * (2 * LONGEST + 5)))]
    assert list(map(len, found)) == [LONGEST, LONGEST, 5]


def opens(line: str) -> str | None:
    return line[1:] if line.startswith("#") else None


def test_a_block_is_a_header_and_what_follows() -> None:
    """Text before the first is told; blank lines at the end belong to nobody."""
    found = list(blocks(text_lines(BytesIO(b"pre\n#one\na\n\nb\n\n#two\n")), "f", opens))
    assert found == [
        Reject(file="f", offset=0, reason="text before the first message", raw="pre"),
        Block(4, "one", ["a", "", "b"]),
        Block(15, "two", []),
    ]


def test_what_is_too_long_for_a_message_is_told_verbatim() -> None:
    """And what comes after it is read."""
    raw = b"#one\n" + b"words words\n" * (LONGEST // 6) + b"#two\n"
    found = list(blocks(text_lines(BytesIO(raw)), "f", opens))
    rejected = [one for one in found if isinstance(one, Reject)]
    assert {one.reason for one in rejected} == {"too long for a message"}
    assert "\n".join(one.raw for one in rejected).encode() + b"\n#two\n" == raw
    assert [one.header for one in found if isinstance(one, Block)] == ["two"]


def test_a_head_of_no_text_has_no_lines() -> None:
    """Pictures and archives."""
    assert head_lines(b"\x89PNG\0\0") == []
    assert head_lines("a\nb".encode("utf-16")) == ["a", "b"]
