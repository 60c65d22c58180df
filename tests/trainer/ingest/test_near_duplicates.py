"""What counts as saying it again."""

import random

from trainer.corpus.row import Row
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


def test_what_is_found_is_what_comparing_all_would_find() -> None:
    """Texts of few words, each a few words away from another; of every speaker alone."""
    rng = random.Random(1)
    said = []
    for _ in range(400):
        words = rng.choices(
            "lamp hall toy cat garden dinner tram june workshop cold why ok".split(), k=rng.randint(6, 40)
        )
        said.append((rng.choice(("me", "bob")), " ".join(words)))
        for _ in range(rng.randint(0, 3)):
            words[rng.randrange(len(words))] = "again"
            said.append((said[-1][0], " ".join(words)))
    assert sorted(places(*said)) == compared(said)


def test_where_every_shingle_is_common_two_of_them_tell() -> None:
    """Somebody of three words, who says hundreds of things with each run of them."""
    rng = random.Random(2)
    said = []
    for _ in range(150):
        words = rng.choices("lamp hall toy".split(), k=rng.randint(9, 24))
        said.append(("me", " ".join(words)))
        for _ in range(2):
            words[rng.choice((0, -1))] = rng.choice(("lamp", "cat"))
            said.append(("me", " ".join(words)))
    assert sorted(places(*said)) == compared(said)


def test_in_a_crowd_of_forms_too() -> None:
    """More than share a rare shingle before each is compared with those kept alone: one long text, filled in anew each time."""
    rng = random.Random(0)
    form = [f"form{number}" for number in range(40)]
    said = [
        ("me", " ".join(form[rng.randint(0, 6) :] + [f"own{rng.randrange(400)}" for _ in range(rng.randint(0, 8))]))
        for _ in range(300)
    ]
    assert sorted(places(*said)) == compared(said)


def compared(said: list[tuple[str, str]]) -> list[int]:
    """The places of repetitions, each message compared with all before it."""
    kept: dict[str, list[set[str]]] = {"me": [], "bob": []}
    again: list[int] = []
    for place, (sender, text) in enumerate(said):
        words = text.split()
        shingles = {" ".join(words[start : start + 3]) for start in range(len(words) - 2)}
        if len(words) >= 8 and any(len(shingles & other) >= 0.8 * len(shingles | other) for other in kept[sender]):
            again.append(place)
        elif len(words) >= 8:
            kept[sender].append(shingles)
    return again


def test_a_crowd_of_like_texts_is_compared_as_all_would_be() -> None:
    """Forms filled in, which share most shingles: with one word changed at the end, or two in the middle."""
    forms = [f"we have won {count} games and lost {count + 1} in the league of the year again" for count in range(60)]
    said = [("me", f"{form} {word}") for form in forms for word in ("now", "soon", "then")]
    said += [("me", f"the answer to this long and important question is number {count}") for count in range(60)]
    assert sorted(places(*said)) == compared(said)
    assert 60 < len(compared(said)) < len(said)
