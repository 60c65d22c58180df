"""Whether a text says again what was said before, and how often a person does."""

from random import Random

import pytest

from persona.repeats import NearIndex, expected_repeats, neighbour_counts, repeats

TWEETS = [
    f"{place} is closed on day {number % 9}" for number, place in enumerate(["the swimming pool"] * 40 + ["a bar"] * 9)
]
TWEETS += [f"{number:x} {Random(number).getrandbits(90):x}" for number in range(150)]


@pytest.mark.parametrize(
    ("text", "earlier", "same", "near"),
    [
        ("No!", "no", True, False),
        ("no", "not", False, False),
        ("😀", "😀", True, True),
        ("😀", "😃", False, False),
        ("?!", "...", False, False),
        ("the canal froze again last night", "the canal froze again last night :)", True, True),
        ("the canal froze again last night", "the canal froze again last week", False, True),
        ("the canal froze again last night", "we sold the last lamp last night", False, False),
        ("", "", True, True),
    ],
)
def test_what_repeats_what(text: str, earlier: str, same: bool, near: bool) -> None:
    """Case, punctuation and blanks don't make it new; for tweets another ending doesn't either."""
    index = NearIndex()
    assert index.near(text) == []
    index.add("something else entirely")
    index.add(earlier)
    assert index.near(text) == [1] * near
    assert repeats(text, [earlier]) is same
    assert not repeats(text, [])


def test_the_expectation_is_that_of_drawing() -> None:
    """In any order, without putting back; of all texts it is what they have."""
    counts, rng = neighbour_counts(TWEETS), Random(1)
    for drawn in (5, 30, 120):
        mean = sum(_repeats(rng.sample(TWEETS, drawn)) for _ in range(300)) / 300
        assert abs(expected_repeats(counts, drawn) - mean) < 0.5
    assert expected_repeats(counts, 999) == pytest.approx(expected_repeats(counts, len(TWEETS)))
    assert expected_repeats({}, 9) == 0


def test_what_is_sealed_says_nothing_of_the_texts() -> None:
    """How many have so many like them, and that is all."""
    assert neighbour_counts(["the canal froze again", "the canal froze again!", "and now", "the tram"]) == {
        "0": 2,
        "1": 2,
    }


def _repeats(texts: list[str]) -> int:
    index, repeated = NearIndex(), 0
    for text in texts:
        repeated += bool(index.near(text))
        index.add(text)
    return repeated
