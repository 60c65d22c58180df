"""How varied beginnings are expected to be, against drawing."""

from random import Random

from persona.openings import expected_openings, multiplicities, opening_of

TEXTS = [
    f"{word} {number % 4}" for number, word in enumerate(["good morning"] * 30 + ["the tram"] * 12 + list("abcdefgh"))
]


def test_an_opening_is_the_first_two_words() -> None:
    """Whatever case and marks they have; pictures have none."""
    assert opening_of("Good morning! the tram") == opening_of("GOOD, MORNING") == ("good", "morning")
    assert opening_of("早安") == ("早", "安")
    assert opening_of("[photo]") == opening_of("🙈") == ()


def test_the_expectation_is_that_of_drawing() -> None:
    """Without putting back; of all texts it is what they have."""
    counts = multiplicities(TEXTS)
    rng = Random(0)
    for drawn in (1, 5, 20):
        mean = sum(len({opening_of(text) for text in rng.sample(TEXTS, drawn)}) for _ in range(4000)) / 4000
        assert abs(expected_openings(counts, drawn) - mean) < 0.1
    assert expected_openings(counts, len(TEXTS)) == expected_openings(counts, 999) == len(set(map(opening_of, TEXTS)))
    assert expected_openings({}, 9) == 0


def test_what_is_sealed_says_nothing_of_the_texts() -> None:
    """How many begin so often, and that is all."""
    assert multiplicities(["a b c", "a b", "c d", "[photo]"]) == {"1": 1, "2": 1}
