"""`python -m bot tweet`: as varied as the voice can be."""

import itertools
from random import Random

from bot.tweeting import tweets_of
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice

SAID = ("the tram is late again", "the tram is late again!", "made dumplings / nobody is to see them", "i felt that")


async def test_a_tweet_that_says_nearly_the_same_again_is_made_anew() -> None:
    """The timeline does so, and what is printed shows what it would post."""
    words = itertools.cycle(SAID)
    tweets = await tweets_of(small_voice(FakeEngine(lambda _: next(words))), 3, Random(1), None)
    assert tweets == [SAID[0], SAID[2], SAID[3]]


async def test_who_has_nothing_else_to_say_says_it_again() -> None:
    """As many as were asked for."""
    tweets = await tweets_of(small_voice(FakeEngine(lambda _: "anyway")), 3, Random(1), None)
    assert tweets == ["anyway"] * 3
