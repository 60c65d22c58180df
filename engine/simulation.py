"""A whole conversation simulated by one model that speaks for every trained speaker."""

import random
from collections.abc import AsyncIterator, Mapping

from engine.voice import Voice
from persona.bundle import Seal
from persona.errors import UserError
from persona.transcript import Turn

SILENCE = "…"  # the turn of somebody who had nothing to say


async def simulate(voice: Voice, scene: str, seed: int, *, turns: int, year: int | None = None) -> AsyncIterator[Turn]:
    """Yield `turns` turns; the next speaker is sampled from the corpus's turn-taking. Speakers that were not trained need
    the base's own voice (choose.open_voice, merge=False). Raises UserError if the seal has no turn-taking."""
    if not voice.seal.turn_taking:
        raise UserError(
            "the corpus had no group conversations, so nobody knows who speaks after whom; import a group and train anew"
        )
    rng = random.Random(seed)
    spoken: list[Turn] = []
    while len(spoken) < turns:
        speaker = _next_speaker(voice.seal.turn_taking, spoken[-1].speaker if spoken else "", rng)
        tuned = voice.seal.speakers[speaker].tuned
        lines = await voice.reply(scene, spoken, rng.getrandbits(31), speaker=speaker, year=year, tuned=tuned)
        spoken.append(Turn(speaker, lines or (SILENCE,)))
        yield spoken[-1]


def untrained(seal: Seal) -> list[str]:
    """Return the names of participants who were not trained: the base speaks for them."""
    playing = {key for row in seal.turn_taking.values() for key in row}
    return sorted(seal.speakers[key].name for key in playing if not seal.speakers[key].tuned)


def _next_speaker(turn_taking: Mapping[str, Mapping[str, float]], last: str, rng: random.Random) -> str:
    row = turn_taking.get(last) or turn_taking.get("") or next(iter(turn_taking.values()))
    return rng.choices(list(row), weights=list(row.values()))[0]
