"""Random tweets for the terminal: made as the timeline makes them, posted nowhere."""

import secrets
from collections.abc import Sequence
from random import Random

from bot.talk.delivery import sayable
from bot.talk.repeats import NEAR, begins_too_often, repeats
from bot.talk.speakers import without_stand_ins
from engine.choose import open_voice
from engine.voice import Voice
from persona.config import Settings

TRIES = 6  # for one that holds more than a picture, and was not said before


async def some_tweets(settings: Settings, count: int, seed: int | None, year: int | None) -> list[str]:
    """So many tweets of the current adapter, each its lines as they would be posted."""
    voice = open_voice(settings)
    rng = Random(secrets.randbits(31) if seed is None else seed)
    await voice.engine.start()
    try:
        return await tweets_of(voice, count, rng, year)
    finally:
        await voice.engine.close()


async def tweets_of(voice: Voice, count: int, rng: Random, year: int | None) -> list[str]:
    """Return so many tweets, as the timeline would make them: none that says nearly what an earlier one said, and beginnings as
    varied as the person's, unless nothing else comes."""
    said: list[str] = []
    for _ in range(count):
        if text := await _tweet(voice, rng, year, said):
            said.append(text)
    return said


async def _tweet(voice: Voice, rng: Random, year: int | None, said: Sequence[str]) -> str:
    """Return a tweet; empty if the voice only ever shows pictures."""
    openings = voice.seal.data.get("tweet_openings", {})
    text = fallback = ""
    for _ in range(TRIES):
        if not (lines := sayable(without_stand_ins(await voice.tweet(rng.getrandbits(31), year=year), voice.seal))):
            continue
        text = "\n".join(lines)
        if repeats(text, said, near=NEAR):
            continue
        if not begins_too_often(text, said, openings):
            return text
        fallback = fallback or text
    return fallback or text
