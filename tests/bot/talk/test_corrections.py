"""What somebody says that the persona would have said."""

import pytest

from bot.talk.corrections import instead


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("I'd say nope", "nope"),
        ("i’d say: nope", "nope"),
        ("id say nope", "nope"),
        ("id card", "id card"),
        ("I would have said … nope\n no ", "nope\nno"),
        ("nope, tuesday", "nope, tuesday"),
        ("I'd say “see you there”", "see you there"),
        ('"yes" or "no"', '"yes" or "no"'),
        ("I'd sayonara", "I'd sayonara"),
        ("I'd say", ""),
        (" \n", ""),
        ("", ""),
    ],
)
def test_the_opening_is_no_part_of_the_words(argument: str, words: str) -> None:
    """Nor are quotes around all of it; lines stay lines."""
    assert instead(argument) == words
