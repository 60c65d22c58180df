"""Under which key a live person is written, and what a reply calls them. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache

from persona.bundle import Seal
from persona.config import Settings
from persona.names import normalise, unique_key

SOMEBODY = "somebody"  # for a stand-in, if the seal doesn't say it in the persona's language


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


def without_stand_ins(lines: Iterable[str], seal: Seal) -> tuple[str, ...]:
    """Return the lines with "somebody" for the stand-ins of people who did not consent: no friend knows a Gadwall. In
    English the next one in a reply is "somebody else"."""
    somebody = str(seal.data.get("somebody", SOMEBODY))
    if (pattern := _pattern_of(tuple(seal.data.get("stand_ins", ())))) is None:
        return tuple(lines)
    words: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        other = f"{somebody} else" if words and somebody == SOMEBODY else somebody
        return words.setdefault(match[1].upper(), other)

    return tuple(pattern.sub(word, line) for line in lines)


@cache
def _pattern_of(stand_ins: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what finds stand-ins: with capitals, or behind an @; in lower case a heron is a bird."""
    names = sorted(stand_ins, key=len, reverse=True)
    cased = "|".join(re.escape(form) for name in names for form in (name, name.upper()))
    called = "|".join(re.escape(name.lower()) for name in names)
    return re.compile(rf"(?:(?<![\w@])|@)({cased}|(?<=@)(?:{called}))(?!\w| \d)") if names else None
