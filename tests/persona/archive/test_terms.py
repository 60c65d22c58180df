"""Terms are words of every script, and nothing that a query language reads."""

import pytest

from persona.archive.terms import MAX_TERM, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Don't go to Ghent!", ["dont", "go", "to", "ghent"]),
        ("Café Großer", ["cafe", "grosser"]),
        ("去根特吗", ["去", "去根", "根", "根特", "特", "特吗", "吗"]),
        ("猫 cat", ["猫", "cat"]),
        ("ひと", ["ひ", "ひと", "と"]),
        ("наш поезд", ["наш", "поезд"]),
        ('"NEAR(a b)" -c* ^d', ["near", "a", "b", "c", "d"]),
        ("😂 🤷‍♀️ …!?", []),
        ("", []),
    ],
)
def test_terms_of_every_script(text: str, terms: list[str]) -> None:
    """Characters and their pairs where no blanks are written."""
    assert terms_of(text) == terms


def test_thai_has_pairs_of_characters() -> None:
    """No blanks there either."""
    assert "กข" in terms_of("กขค") and "ขค" in terms_of("กขค")


def test_a_long_word_is_cut() -> None:
    """Ten thousand letters are no term."""
    assert terms_of("a" * 10_000) == ["a" * MAX_TERM]
