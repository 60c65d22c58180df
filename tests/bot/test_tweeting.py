"""`python -m bot tweet`: as varied as the voice can be."""

import itertools
from dataclasses import replace
from random import Random

from bot.tweeting import tweets_of
from persona.openings import expected_openings, multiplicities, opening_of
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


async def test_beginnings_are_as_varied_as_the_person_s() -> None:
    """Over hundreds: a voice that begins every second tweet alike is held to it; without figures in the seal it isn't."""
    rng = Random(3)
    voice = small_voice(FakeEngine(lambda _: f"{rng.choice(HABITS)} {rng.getrandbits(64):x} {rng.getrandbits(64):x}"))
    mine = [f"{opening} x {number}" for opening in range(90) for number in range(opening % 5 + 1)]
    sealed = replace(voice, seal=voice.seal.model_copy(update={"data": {"tweet_openings": multiplicities(mine)}}))
    expected = expected_openings(multiplicities(mine), 200)
    free, held = [
        len({opening_of(text) for text in await tweets_of(each, 200, Random(1), None)}) for each in (voice, sealed)
    ]
    assert free < 0.8 * expected
    assert held >= 0.9 * expected


HABITS = ["closed at"] * 70 + ["cycled to"] * 50 + [f"word{number} word" for number in range(100)]
