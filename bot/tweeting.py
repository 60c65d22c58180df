"""Random tweets for the terminal: made as the timeline makes them, posted nowhere."""

import secrets

from bot.engine.choose import open_voice
from persona.config import Settings


async def some_tweets(settings: Settings, count: int, seed: int | None, year: int | None) -> list[str]:
    """So many tweets of the current adapter, each its lines."""
    voice = open_voice(settings)
    start = secrets.randbits(31) if seed is None else seed
    await voice.engine.start()
    try:
        return ["\n".join(await voice.tweet(start + number * 7919, year=year)) for number in range(count)]
    finally:
        await voice.engine.close()
