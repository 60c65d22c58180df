"""What is chosen on the page, written into persona.toml; its comments and all else stay. Knows nothing of Gradio."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from persona.config import load, parsed
from persona.errors import SettingsError
from persona.names import normalise, unique_key


def choose(config: Path, *, persona: Sequence[str], consent: Mapping[str, bool], sources: Sequence[str]) -> None:
    """Write whose voice it is (the names one person has), who agreed to be imitated and who did not, and where the exports
    lie; where none are named, they stay where they were. Raises SettingsError where that makes no valid settings, or there
    were none; the file is as it was then."""
    if not persona:
        raise SettingsError("choose whose voice it is first")
    load(config)  # what is wrong already is told as it is
    document: Any = tomlkit.parse(config.read_text(encoding="utf-8-sig"))
    _set_persona(document, persona)
    _set_consent(document, {name: agreed for name, agreed in consent.items() if name not in persona})
    if sources:
        document.setdefault("data", tomlkit.table())["sources"] = list(sources)
    _replace(config, tomlkit.dumps(document))


def _set_persona(document: Any, names: Sequence[str]) -> None:
    """Names that are known already change nothing; a new person brings no alias of the old one along."""
    table = document["persona"]
    known = {normalise(str(name)) for name in (table["name"], *table.get("aliases", ()))}
    if not known & set(map(normalise, names)):
        table["name"], table["aliases"] = names[0], list(names[1:])
        return
    more = [name for name in names if normalise(name) not in known]
    if more:
        table["aliases"] = [*table.get("aliases", ()), *more]


def _set_consent(document: Any, consent: Mapping[str, bool]) -> None:
    """Of those who are not named in it, nothing changes."""
    people = document.setdefault("people", tomlkit.table(is_super_table=True))
    agreed_by_name = {normalise(name): agreed for name, agreed in consent.items()}
    known: set[str] = set()
    for key, friend in people.items():
        names = {normalise(key), *(normalise(str(name)) for name in friend.get("names", ()))}
        if names & agreed_by_name.keys():
            friend["consent"] = any(agreed_by_name.get(name, False) for name in names)
        known |= names
    for name, agreed in consent.items():
        if agreed and normalise(name) not in known:
            key = unique_key(name, {*known, normalise(str(document["persona"]["name"]))})
            people[key] = tomlkit.item({"names": [name], "consent": True})
            known.add(key)


def _replace(config: Path, text: str) -> None:
    """Whole or not at all, and only if it can be loaded. A link stays a link."""
    parsed(text, config)
    config = config.resolve()
    fresh = config.with_name(f".{config.name}-{os.getpid()}")
    try:
        fresh.touch(mode=config.stat().st_mode & 0o777)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(config)
    finally:
        fresh.unlink(missing_ok=True)
