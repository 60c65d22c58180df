"""Random tweets for the terminal: made as the timeline makes them, posted nowhere."""

import secrets
from random import Random

from bot.talk.delivery import sayable
from bot.talk.speakers import without_stand_ins
from bot.talk.variety import Variety
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
    """Return so many tweets, as the timeline would make them: as varied as the person's, unless nothing else comes."""
    said: list[str] = []
    variety = Variety(voice.seal.data)
    for _ in range(count):
        if text := await _tweet(voice, rng, year, variety):
            said.append(text)
            variety.add(text)
    return said


async def _tweet(voice: Voice, rng: Random, year: int | None, variety: Variety) -> str:
    """Return a tweet; empty if the voice only ever shows pictures."""
    text = fallback = ""
    for _ in range(TRIES):
        if not (lines := sayable(without_stand_ins(await voice.tweet(rng.getrandbits(31), year=year), voice.seal))):
            continue
        text = "\n".join(lines)
        if not (rejection := variety.rejection(text)):
            return text
        fallback = fallback or (text if rejection == "opening" else "")
    return fallback or text
