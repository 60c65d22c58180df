"""Conversations are cut into passages of a few turns, none of them long."""

from hypothesis import given
from hypothesis import strategies as st

from persona.archive.passages import MAX_TURNS, MAX_WORDS, passages_of
from persona.markers import says_words
from persona.transcript import Conversation, Quote, Turn
from persona.word_tokens import word_tokens
from tests.persona.strategies import SPOKEN


@given(SPOKEN)
def test_everything_that_was_said_is_in_one_passage(conversation: Conversation) -> None:
    """In order, and once."""
    passages = list(passages_of(conversation, id="c"))
    kept = "".join("".join(turn.lines) for turn in conversation.turns if says_words(turn))
    assert "".join("".join(turn.lines) for passage in passages for turn in passage.turns) == kept
    assert all(1 <= len(passage.turns) <= MAX_TURNS for passage in passages)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=40))
def test_a_passage_is_short_and_seldom_a_single_turn(words: list[int]) -> None:
    """At most sixty words, if that is not less than its two turns have."""
    turns = tuple(Turn("AB"[number % 2], ("word " * count,)) for number, count in enumerate(words))
    for passage in passages_of(Conversation("group", turns)):
        count = sum(len(word_tokens(turn.text)) for turn in passage.turns)
        assert count <= MAX_WORDS or len(passage.turns) == 2
    if max(words) <= 10:
        assert all(len(passage.turns) > 1 for passage in passages_of(Conversation("group", turns)))


def test_a_long_turn_is_cut_between_words() -> None:
    """Its end can be found, too."""
    text = " ".join(f"word{number}" for number in range(200))
    passages = list(passages_of(Conversation("timeline", (Turn("MARA", (text,)),))))
    assert [len(word_tokens(passage.turns[0].text)) for passage in passages] == [60, 60, 60, 20]
    assert "".join(passage.turns[0].text for passage in passages) == text


def test_it_says_when_it_was() -> None:
    """A reaction has no time, and no words."""
    turns = (Turn("A", ("one",)), Turn("B", ("[react 😂]",)), Turn("B", ("[…]",)), Turn("B", ("two",)))
    (passage,) = passages_of(Conversation("group", turns, 2018), [1.6e9, None, None, 1.6e9 + 60], id="c", dm="A")
    assert (passage.began, passage.ended, passage.year) == (1.6e9, 1.6e9 + 60, 2020)
    assert [turn.lines for turn in passage.turns] == [("one",), ("two",)]
    assert (passage.conversation, passage.dm, passage.excerpt.year) == ("c", "A", 2020)


def test_a_quote_of_another_conversation_is_left_out() -> None:
    """That one may be held out: what is quoted of it would be remembered."""
    turns = (
        Turn("JONAS", ("anyone up for ghent on saturday?",)),
        Turn("MARA", ("yes",), Quote("JONAS", "anyone up for…")),
        Turn("PRIYA", ("see you",), Quote("MARA", "the code is 4711")),
    )
    (passage,) = passages_of(Conversation("group", turns))
    assert [turn.quote and turn.quote.words for turn in passage.turns] == [None, "anyone up for…", None]
