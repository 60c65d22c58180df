"""How text files are saved, told by their beginning."""

import io

import pytest

from trainer.sources.files.charset import as_utf8, utf8_stream, wide_encoding

TEXT = "04.03.21, 22:05 - Bo: grüße\n04.03.21, 22:06 - Ana: 今天吃什么呢\n"


def read(raw: bytes) -> str:
    return utf8_stream(io.BytesIO(raw), raw[: 64 << 10]).read().decode("utf-8-sig")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_is_read_as_utf8_however_it_was_saved(encoding: str) -> None:
    """UTF-16 also without its mark, as some editors save it."""
    raw = (TEXT * 5000).encode(encoding)
    assert read(raw) == TEXT * 5000
    assert as_utf8(raw[:4096]).decode("utf-8", "ignore").lstrip("\ufeff").startswith(TEXT)


def test_carriage_returns_alone_end_lines() -> None:
    """As Macs wrote them; beside line feeds they are left to the readers."""
    assert read(b"one\rtwo\r") == "one\ntwo\n"
    assert read(b"one\r\ntwo\r\n") == "one\r\ntwo\r\n"
    assert read(TEXT.replace("\n", "\r").encode("utf-16-le")) == TEXT


@pytest.mark.parametrize(
    "raw", [b"", b"a", b"SQLite format 3\0\x10\0\1\1\0\x40", bytes(200), b"\1\rabc", "今天".encode()]
)
def test_what_is_not_such_text_is_left_alone(raw: bytes) -> None:
    """Databases, and files of zeros."""
    assert wide_encoding(raw) == ""
    assert utf8_stream(io.BytesIO(raw), raw).read() == raw
