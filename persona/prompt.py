"""The prompts before a tweet and before a reply. Trainer and bot both build them here."""

from collections.abc import Sequence

from persona.bundle import Seal
from persona.encoding import Encoding
from persona.transcript import Excerpt, Quote, Turn


def tweet_scene(seal: Seal) -> str:
    """Return the scene in which the persona speaks unasked: the timeline if it has one, else what it knows best."""
    scenes: dict[str, int] = dict(seal.data.get("scenes", {}))
    return "timeline" if scenes.get("timeline") or not scenes else max(scenes, key=lambda scene: scenes[scene])


def tweet_prompt(encoding: Encoding, seal: Seal, *, speaker: str = "", year: int | None = None) -> tuple[int, ...]:
    """Return the ids after which `speaker` (the persona) writes a tweet. year: of which era; None is the latest."""
    return tuple(encoding.prompt(tweet_scene(seal), (), speaker or seal.speaker, year=year or seal.year))


def reply_prompt(
    encoding: Encoding,
    seal: Seal,
    scene: str,
    turns: Sequence[Turn],
    *,
    room: int,
    quote: Quote | None = None,
    memories: Sequence[Excerpt] = (),
    speaker: str = "",
    year: int | None = None,
) -> tuple[int, ...]:
    """Return the ids after which `speaker` (the persona) answers the last of `turns`, or what `quote` says. memories:
    what comes to mind. room: tokens kept free for the answer; the oldest turns are left out if they don't fit."""
    limit = max(64, seal.max_length - room)
    said_by, when = speaker or seal.speaker, year or seal.year
    return tuple(encoding.prompt(scene, turns, said_by, quote=quote, memories=memories, year=when, limit=limit))
