"""Whether tweets stay as varied as the person's."""

from bot.talk.variety import RECENT, REMEMBERED, Variety
from persona.repeats import expected_repeats, neighbour_counts

PLACES = [
    f"{word} is closed again on day" for word in ("the swimming pool", "a bar", "my school", "his office", "zoo")
] * 10
HERS = [f"{place} {number}" for number, place in enumerate(PLACES)] + [f"{9**number}" for number in range(250)]
SEALED = {"tweet_neighbours": neighbour_counts(HERS)}


def test_without_figures_nothing_is_nearly_said_again() -> None:
    """As of a bundle that was sealed before there were any."""
    variety = Variety({}, ["the canal froze again last night", *_others(300)])
    assert variety.rejection("the canal froze again last week") == "repeated"
    assert variety.rejection("made dumplings") == ""


def test_nearly_the_same_is_said_again_as_often_as_the_person_does() -> None:
    """Of so many tweets about as many repeat another as of hers."""
    variety, repeated = Variety(SEALED), 0
    for number, other in enumerate(_others(200)):
        again = f"{PLACES[number % len(PLACES)]} {number} or so"
        text = other if variety.rejection(again) else again
        repeated += text == again
        variety.add(text)
    assert abs(repeated - expected_repeats(SEALED["tweet_neighbours"], 200)) < 6  # the first of a kind repeats none
    assert repeated > 20


def test_what_was_just_said_is_not_said_again() -> None:
    """Nearly, among the last few; word for word, among more."""
    said = "the canal froze again last night"
    nearly, again = (
        [Variety(SEALED, [*_others(150), said, *_others(since, 200)]).rejection(text) for since in range(100)]
        for text in ("the canal froze again last week", f"{said}!")
    )
    assert nearly == ["repeated"] * RECENT + [""] * (100 - RECENT)
    assert again == ["repeated"] * REMEMBERED + [""] * (100 - REMEMBERED)


def _others(count: int, begin: int = 40) -> list[str]:
    return [f"{7**number}" for number in range(begin, begin + count)]
