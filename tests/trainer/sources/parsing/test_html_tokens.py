"""Tags and texts of HTML files."""

from io import BytesIO

from trainer.sources.parsing.html_tokens import Tag, html_tokens


def test_tags_come_with_the_text_before_them() -> None:
    """Entities undone, comments left out, offsets in bytes."""
    first, second, last = html_tokens(BytesIO("é<!-- x --><P CLASS=\"a &amp; b\" id='1'>1 &lt; 2</p>tail".encode()))
    assert (first.name, first.text, first.offset, first.attributes) == ("p", "é", 12, {"class": "a & b", "id": "1"})
    assert (second.name, second.text, second.closing) == ("p", "1 < 2", True)
    assert last == Tag(offset=last.offset, text="tail", name="")


def test_what_has_no_end_is_text() -> None:
    """A tag that is never closed keeps neither time nor memory."""
    found = list(html_tokens(BytesIO(b"<a " + b"<" * 2_000_000)))
    assert {tag.name for tag in found} <= {"wbr", ""}
    assert sum(len(tag.text) for tag in found) == 2_000_003


def test_text_is_whole_over_chunks() -> None:
    """Whatever the size of what is read at once."""
    text = "word " * 200_000
    assert "".join(tag.text for tag in html_tokens(BytesIO(f"<p>{text}</p>".encode()))) == text


def test_a_name_that_never_ends_is_no_tag() -> None:
    """It is looked at once."""
    assert [tag.text for tag in html_tokens(BytesIO(b"<" + b"a" * 12_000))] == ["<" + "a" * 12_000]
