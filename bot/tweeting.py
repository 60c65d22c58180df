"""Random tweets for the terminal: made as the timeline makes them, posted nowhere."""

import secrets
from random import Random

from bot.talk.delivery import sayable
from engine.choose import open_voice
from engine.voice import Voice
from persona.config import Settings

TRIES = 5  # for one that holds more than a picture


async def some_tweets(settings: Settings, count: int, seed: int | None, year: int | None) -> list[str]:
    """So many tweets of the current adapter, each its lines as they would be posted."""
    voice = open_voice(settings)
    rng = Random(secrets.randbits(31) if seed is None else seed)
    await voice.engine.start()
    try:
        return [text for _ in range(count) if (text := await _tweet(voice, rng, year))]
    finally:
        await voice.engine.close()


async def _tweet(voice: Voice, rng: Random, year: int | None) -> str:
    """Return a tweet; empty if the voice only ever shows pictures."""
    for _ in range(TRIES):
        if lines := sayable(await voice.tweet(rng.getrandbits(31), year=year)):
            return "\n".join(lines)
    return ""
