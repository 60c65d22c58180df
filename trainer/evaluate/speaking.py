"""What a voice says on given occasions: the same voice, engine and guard that will speak to people."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine.voice import Voice
from persona.guard import Guard
from trainer.evaluate.reply_context import Occasion

TOGETHER = 64  # requests handed over at once; the engine batches them as it likes
STEP = 7919  # between two seeds


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said on an occasion. raw: what would have been said without a guard. lines: of the text."""

    occasion: Occasion
    lines: tuple[str, ...]
    raw: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as a reader sees them."""
        return "\n".join(self.lines)


def speak(
    voice: Voice,
    occasions: Sequence[Occasion],
    seed: int = 0,
    *,
    speaker: str = "",
    tuned: bool = True,
    until: float = float("inf"),
    advance: Callable[[float], None] = lambda _: None,
) -> list[Spoken]:
    """What `voice` says on each occasion, in order; on the first of them only, where `until` (on time.monotonic()'s
    clock) comes sooner. advance: called with the number of occasions done."""

    async def all_of_them() -> list[Spoken]:
        await voice.engine.start()
        try:
            found: list[Spoken] = []
            while len(found) < len(occasions) and (not found or time.monotonic() < until):
                some = occasions[len(found) : len(found) + TOGETHER]
                asked = (
                    _one(voice, one, seed + (len(found) + place) * STEP, speaker, tuned)
                    for place, one in enumerate(some)
                )
                found += await asyncio.gather(*asked)
                advance(len(some))
            return found
        finally:
            await voice.engine.close()

    return asyncio.run(all_of_them())


async def _one(voice: Voice, occasion: Occasion, seed: int, speaker: str, tuned: bool) -> Spoken:
    async def lines(one: Voice) -> tuple[str, ...]:
        return await one.reply(occasion.scene, occasion.before, seed, speaker=speaker, year=occasion.year, tuned=tuned)

    raw = await lines(replace(voice, guard=Guard()))
    objection = voice.guard.check("\n".join(raw))
    return Spoken(occasion, await lines(voice) if objection else raw, raw)
