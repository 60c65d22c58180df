"""What counts as saying it again."""

from trainer.corpus.segmentation import Row
from trainer.ingest.near_duplicates import repeated

LONG = "i have told you before that the lamp in the hall is not a toy"


def rows(*said: tuple[str, str]) -> list[Row]:
    return [
        Row("x", "X", "c", "group", str(place), sender, float(place), tuple(text.split("\n")))
        for place, (sender, text) in enumerate(said)
    ]


def places(*said: tuple[str, str]) -> list[int]:
    return list(repeated(rows(*said), lambda row: row.sender))


def test_a_long_text_nearly_the_same_again_is_a_repetition() -> None:
    """In other case and punctuation, with a word more; the first one stays."""
    assert places(("me", LONG), ("me", "no"), ("me", LONG.upper() + "!!"), ("me", f"well\n{LONG}")) == [2, 3]


def test_short_habits_keep_their_frequency() -> None:
    """Fewer than eight units, be they words or characters."""
    assert places(*[("me", "早安~")] * 400, *[("me", "good morning to all of you!")] * 50) == []
    assert places(*[("me", "今天的天气真不错啊")] * 3) == [1, 2]


def test_another_speaker_or_another_text_is_no_repetition() -> None:
    """Half the words in common is a way of speaking."""
    other = "i have told you before that the cat in the garden wants its dinner now"
    assert places(("me", LONG), ("bob", LONG), ("me", other)) == []
