"""Under which key a live person is written, and what a reply calls them. Pure."""

import re
from collections.abc import Collection, Mapping

from persona.bundle import Seal
from persona.config import Settings
from persona.names import normalise, unique_key


def reserved_keys(settings: Settings, seal: Seal) -> frozenset[str]:
    """Keys that no live stranger may bear: the persona's, its aliases', and every speaker's the model heard."""
    mine = {seal.speaker, settings.persona.key, *map(normalise, settings.persona.aliases)}
    return frozenset((mine | set(settings.people) | set(seal.speakers)) - {""})


def known_key(settings: Settings, seal: Seal, platform: str, author_id: str) -> str | None:
    """Return the trained key of somebody whom [people] names by their id on this platform, except the persona's own."""
    for key, person in settings.people.items():
        if author_id in person.ids(platform) and key != seal.speaker:
            return key
    return None


def live_key(settings: Settings, seal: Seal, platform: str, author_id: str, name: str, taken: Collection[str]) -> str:
    """Return the key of a live author. taken: the keys of others in this channel."""
    known = known_key(settings, seal, platform, author_id)
    return known or unique_key(name, {*reserved_keys(settings, seal), *taken})


def named_back(line: str, names: Mapping[str, str]) -> str:
    """`line` with speaker keys as their owners call themselves. names: key -> display name, where they differ."""
    for key, name in names.items():
        if line.isascii() and key.isascii() and key.lower() not in line.lower():
            continue  # of hundreds of people a line names one or two, and a pattern takes a hundred times as long
        line = re.sub(rf"(?<![\w:]){re.escape(key)}(?!\w)", lambda _, name=name: name, line, flags=re.IGNORECASE)  # type: ignore[misc]
    return line
