"""Texts of the current adapter for the terminal: tweets, replies, or a whole conversation between the speakers."""

import asyncio
import random
import secrets
import sys
from contextlib import closing
from dataclasses import dataclass

from engine.choose import open_voice
from engine.simulation import simulate, untrained
from engine.voice import Voice
from persona.archive.index import Archive, archive_of
from persona.archive.ranking import Cue
from persona.archive.recall import recall
from persona.bundle import Seal, current
from persona.config import Settings
from persona.errors import SettingsError, UserError
from persona.names import SOMEONE, normalise
from persona.transcript import SCENES, Conversation, Turn, render
from persona.turn_lines import plain_lines

DRAWS = 5  # before a voice is taken to be silent
OPENINGS = (
    "hey, are you there?",
    "what are you up to?",
    "did you see that?",
    "how was your day?",
    "any plans for the weekend?",
)


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """What to sample. turns: 0 for single texts, else the length of a conversation. seed: None draws one."""

    speaker: str = ""
    scene: str = "timeline"
    count: int = 5
    turns: int = 0
    seed: int | None = None
    year: int | None = None
    answers: str = ""


def sample_texts(settings: Settings, request: SampleRequest) -> list[str]:
    """Return the texts. Raises UserError if there is no current adapter, or nobody of that name was heard."""
    if request.scene not in SCENES:
        raise SettingsError(f"there is no scene {request.scene!r}; the scenes are {', '.join(SCENES)}")
    bundle = current(settings.adapters)
    seal = bundle.seal
    speaker = find_speaker(seal, request.speaker)
    others = request.turns > 0 or not seal.speakers[speaker].tuned
    voice = open_voice(settings, merge=not others)
    seed = secrets.randbits(31) if request.seed is None else request.seed
    with closing(archive_of(bundle)) as archive:
        return asyncio.run(_sampled(voice, archive, request, speaker, seed))


def find_speaker(seal: Seal, name: str) -> str:
    """Return the key of the speaker called `name`; empty is the persona. Raises UserError naming who was heard."""
    key = normalise(name) if name else seal.speaker
    by_name = {normalise(speaker.name): key for key, speaker in seal.speakers.items()} | {
        key: key for key in seal.speakers
    }
    if key not in by_name:
        raise UserError(f"the adapter never heard of {name!r}; it knows {', '.join(list(seal.speakers)[:12])}")
    return by_name[key]


async def _sampled(voice: Voice, archive: Archive, request: SampleRequest, speaker: str, seed: int) -> list[str]:
    await voice.engine.start()
    try:
        if request.turns:
            return [render(await _conversation(voice, request, seed)).strip()]
        if not voice.seal.speakers[speaker].tuned:
            _say(f"{voice.seal.speakers[speaker].name} was not trained: this voice is the base's")
        texts = [await _one(voice, archive, request, speaker, seed + number * 7919) for number in range(request.count)]
        return [text for text in texts if text]
    finally:
        await voice.engine.close()


async def _one(voice: Voice, archive: Archive, request: SampleRequest, speaker: str, seed: int) -> str:
    """Return a text of the voice; empty if it stays silent with every seed."""
    for draw in range(DRAWS):
        if lines := await _drawn(voice, archive, request, speaker, seed + draw * 104_729):
            return "\n".join(lines)
    return ""


async def _drawn(voice: Voice, archive: Archive, request: SampleRequest, speaker: str, seed: int) -> tuple[str, ...]:
    tuned = voice.seal.speakers[speaker].tuned
    if request.scene == "timeline" and not request.answers:
        return await voice.tweet(seed, speaker=speaker, year=request.year, tuned=tuned)
    opening = plain_lines(request.answers) or (random.Random(seed).choice(OPENINGS),)
    scene = "reply" if request.scene == "timeline" else request.scene
    turns = (Turn(SOMEONE, opening),)
    own = speaker == voice.seal.speaker  # nobody else remembers
    memories = recall(archive, Cue(turns), voice.encoding, voice.seal.max_length) if own else ()
    return await voice.reply(scene, turns, seed, memories=memories, speaker=speaker, year=request.year, tuned=tuned)


async def _conversation(voice: Voice, request: SampleRequest, seed: int) -> Conversation:
    if names := untrained(voice.seal):
        _say(f"voices that were not trained are the base's: {', '.join(names)}")
    scene = request.scene if request.scene != "timeline" else "group"
    turns = [turn async for turn in simulate(voice, scene, seed, turns=request.turns, year=request.year)]
    return Conversation(scene, tuple(turns), request.year or voice.seal.year)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
