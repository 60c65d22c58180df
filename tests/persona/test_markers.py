"""What is not words: one spelling each, and nobody can type one."""

import pytest
from hypothesis import given

from persona.markers import (
    attached,
    forwarded,
    is_reaction,
    medium,
    poll,
    reaction,
    reaction_of,
    sticker,
    sticker_of,
    typed,
    words_of,
)
from persona.transcript import Turn
from persona.turn_lines import plain_lines
from tests.persona.strategies import LINES


def test_each_has_one_spelling() -> None:
    """As the format says."""
    assert reaction("😂") == "[react 😂]"
    assert sticker("😀") == "[sticker 😀]"
    assert sticker("") == "[sticker]"
    assert medium("photo") == "[photo]"
    assert medium("voice", "on my way") == "[voice: on my way]"
    assert poll("where?", ["ghent", "home"]) == "[poll: where? | ghent | home]"
    assert forwarded("DE LIJN", ("works until june", "sorry")) == ("[forwarded from DE LIJN] works until june", "sorry")
    assert forwarded("", ()) == ("[forwarded from […]]",)


def test_a_caption_stands_with_its_picture() -> None:
    """One picture and one line; otherwise the words come first."""
    assert attached(("photo",), ("the cat",)) == ("[photo: the cat]",)
    assert attached(("photo",), ("the cat", "again")) == ("the cat", "again", "[photo]")
    assert attached(("photo", "photo"), ("the cat",)) == ("the cat", "[photo]", "[photo]")
    assert attached(("sticker 😀",), ()) == ("[sticker 😀]",)
    assert attached(("sticker",), ("hm",)) == ("hm", "[sticker]")
    assert attached(("poll",), ("where?", "ghent", "home")) == ("[poll: where? | ghent | home]",)


def test_what_is_written_is_read_back() -> None:
    """Reactions and stickers are sent as such."""
    assert reaction_of(reaction("😂")) == "😂"
    assert reaction_of(reaction(":pepe_sad:")) == ":pepe_sad:"
    assert sticker_of(sticker("a [cat]")) == "a cat"
    assert is_reaction(("[react 😂]",))
    assert not is_reaction(("[react 😂]", "haha"))
    assert not is_reaction(("well [react 😂]",))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[photo: the cat]", "the cat"),
        ("[photo]", ""),
        ("[react 😂]", ""),
        ("[sticker 😀]", ""),
        ("[forwarded from BO] never", ""),
        ("see [link] there", "see there"),
        ("[sic] said he", "[sic] said he"),
    ],
)
def test_words_are_what_can_be_said(line: str, words: str) -> None:
    """A caption is the sender's; a forward is not."""
    assert words_of(line) == words


@given(LINES)
def test_nobody_can_type_one(line: str) -> None:
    """Whatever stands in a message's text."""
    for text in (line, f"[react {line}]", f"[sticker {line}]", f"[forwarded from {line}] hi"):
        for harmless in typed(plain_lines(text)):
            assert Turn("A", (harmless,)).lines
            assert not reaction_of(harmless)
            assert not harmless.startswith(("[sticker]", "[forwarded from "))


def test_other_brackets_stay() -> None:
    """People write them."""
    assert typed(["[react 😂]", "[forwarded from MARA] no", "[sticker x]", "[photo]", "[1] see"]) == (
        "(react 😂)",
        "(forwarded from MARA] no",
        "(sticker x)",
        "[photo]",
        "[1] see",
    )
