"""A whole conversation, played out by everybody whom the model heard."""

import random
from collections.abc import AsyncIterator, Mapping

from engine.voice import Voice
from persona.bundle import Seal
from persona.errors import UserError
from persona.transcript import Turn

SILENCE = "…"  # the turn of somebody who had nothing to say


async def played(voice: Voice, scene: str, seed: int, *, turns: int, year: int | None = None) -> AsyncIterator[Turn]:
    """So many turns; who is next is drawn from the corpus's own turn-taking. Speakers that were not trained need the
    base's own voice (choose.open_voice, merge=False). Raises UserError where nobody knows who speaks after whom."""
    if not voice.seal.turn_taking:
        raise UserError(
            "the corpus had no group conversations, so nobody knows who speaks after whom; import a group and train anew"
        )
    luck = random.Random(seed)
    said: list[Turn] = []
    while len(said) < turns:
        speaker = _next_speaker(voice.seal.turn_taking, said[-1].speaker if said else "", luck)
        tuned = voice.seal.speakers[speaker].tuned
        lines = await voice.reply(scene, said, luck.getrandbits(31), speaker=speaker, year=year, tuned=tuned)
        said.append(Turn(speaker, lines or (SILENCE,)))
        yield said[-1]


def untrained(seal: Seal) -> list[str]:
    """Names of those who take part and were not trained: theirs is the base's voice."""
    playing = {key for row in seal.turn_taking.values() for key in row}
    return sorted(seal.speakers[key].name for key in playing if not seal.speakers[key].tuned)


def _next_speaker(taking: Mapping[str, Mapping[str, float]], last: str, luck: random.Random) -> str:
    row = taking.get(last) or taking.get("") or next(iter(taking.values()))
    return luck.choices(list(row), weights=list(row.values()))[0]
