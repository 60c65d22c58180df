"""Log events: readable as text, with fields for machines."""

from persona.events import Event


def test_an_event_reads_as_one_line_with_its_fields_and_what_to_do() -> None:
    """Whatever handler writes it."""
    event = Event("not sent", channel="discord:1", again_in_seconds=5.0, hint="wait")
    assert str(event) == "not sent channel=discord:1 again_in_seconds=5.0; wait"


def test_a_value_that_could_be_read_as_several_is_quoted() -> None:
    """Blanks, quotes, an equals sign, nothing at all, a line break: the line stays one line, each field one field."""
    event = Event("x", a="rate limited", b='say "hi"', c="k=v", d="", e="two\nlines")
    assert str(event) == r'x a="rate limited" b="say \"hi\"" c="k=v" d="" e="two\nlines"'


def test_fields_keep_their_types_and_other_objects_are_written_as_text() -> None:
    """Numbers, truth and nothing stay what they are; an exception is its sentence."""
    fields = Event("x", count=2, share=0.5, ok=True, none=None, why=ValueError("no room")).fields
    assert fields == {"count": 2, "share": 0.5, "ok": True, "none": None, "why": "no room"}
