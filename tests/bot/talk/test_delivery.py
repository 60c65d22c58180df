"""From lines to posts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.delivery import length, pause, posts, split


def test_lines_are_posts_of_their_own_or_one() -> None:
    """Bursts are a setting."""
    assert posts(["no", "the cat disagreed"], bursts=True, units=2000) == ["no", "the cat disagreed"]
    assert posts(["no", "the cat disagreed"], bursts=False, units=2000) == ["no\nthe cat disagreed"]
    assert posts([], bursts=False, units=2000) == []


def test_what_stands_for_media_is_not_posted() -> None:
    """Neither alone nor inside a line."""
    assert posts(["[photo]", "see [link] now", "[sticker 😀]", "[…]"], bursts=True, units=2000) == ["see now"]


@pytest.mark.parametrize(("text", "units"), [("a" * 2000, 2000), ("😀" * 1000, 2000), ("", 2000)])
def test_what_fits_is_left_whole(text: str, units: int) -> None:
    """To the last code unit."""
    assert split(text, units) == ([text] if text else [])


def test_a_cut_comes_at_a_blank_or_a_line_break() -> None:
    """Where there is one in the second half."""
    assert split("aaaa bbbb cccc", 10) == ["aaaa bbbb", "cccc"]
    assert split("aaaa\nbbbb cccc", 12) == ["aaaa\nbbbb", "cccc"]
    assert split("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_no_character_is_cut_in_two() -> None:
    """Emoji with skin tones, joiners and marks stay whole."""
    family = "👩‍👩‍👧"
    assert split(family * 3, 10) == [family] * 3
    assert split("👍🏽" * 4, 6) == ["👍🏽"] * 4


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=300), st.integers(12, 60))
def test_pieces_fit_and_lose_nothing_but_blanks(text: str, units: int) -> None:
    """Whatever the text."""
    pieces = split(text, units)
    assert all(piece and length(piece) <= units for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_pause_grows_with_the_text_up_to_a_readers_patience() -> None:
    """Like a person's."""
    assert 0 < pause("ok") < pause("a longer sentence than that") < pause("x" * 500) == pause("x" * 5000)
