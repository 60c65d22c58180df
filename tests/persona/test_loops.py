"""What goes round in circles, and what people chant."""

import pytest

from persona.loops import MIN_WORDS, goes_round

SPEECH = (
    "i went down to the canal this morning and the swan was back on the lock gate, same one as last year i think, "
    "it hissed at the lady with the pram and then at me, so i gave it half my sandwich and we sat there until the rain"
)


@pytest.mark.parametrize(
    "text",
    [
        "And that man is God, that man is God.\n" * 6,
        "Your cousin of the king, and cousin of the king,\nAnd cousin of the king's cousin, and cousin of his cousin,\n"
        * 3,
        "no " * MIN_WORDS,
        "今天天气很好，" * 12,
        SPEECH + " and it hissed at me," * 14,
    ],
)
def test_circles_are_seen(text: str) -> None:
    """Of lines, of words, without blanks between words, and after a good beginning."""
    assert goes_round(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ha " * (MIN_WORDS - 1),
        SPEECH,
        "so it goes, so it goes, so it goes, so it goes",
        "我们今天去运河边看天鹅，" * 2,
    ],
)
def test_what_people_say_is_none(text: str) -> None:
    """A chant is short."""
    assert not goes_round(text)
