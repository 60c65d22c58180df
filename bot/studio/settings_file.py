"""What is chosen on the page, written into persona.toml; its comments and all else stay. Knows nothing of Gradio."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit

from persona.config import load
from persona.fault import SettingsFault
from persona.names import normalise, unique_key


def choose(config: Path, *, persona: Sequence[str], consented: Sequence[str], sources: Sequence[str]) -> None:
    """Write whose voice it is (the names one person has), who agreed to be imitated, and where the exports lie. Raises
    SettingsFault where that makes no valid settings; the file is as it was then."""
    if not persona:
        raise SettingsFault("choose whose voice it is first")
    try:
        document: Any = tomlkit.parse(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomlkit.exceptions.ParseError) as error:
        raise SettingsFault(f"{config} can't be read ({error})") from error
    _set_persona(document, persona)
    _set_consent(document, consented, persona)
    document.setdefault("data", tomlkit.table())["sources"] = list(sources)
    _replace(config, tomlkit.dumps(document))


def _set_persona(document: Any, names: Sequence[str]) -> None:
    """Names that are known already change nothing; a new person brings no alias of the old one along."""
    table = document["persona"]
    known = {normalise(str(one)) for one in (table["name"], *table.get("aliases", ()))}
    if not known & set(map(normalise, names)):
        table["name"], table["aliases"] = names[0], list(names[1:])
        return
    more = [one for one in names if normalise(one) not in known]
    if more:
        table["aliases"] = [*table.get("aliases", ()), *more]


def _set_consent(document: Any, consented: Sequence[str], persona: Sequence[str]) -> None:
    people = document.setdefault("people", tomlkit.table(is_super_table=True))
    wanted = {normalise(one): one for one in consented if one not in persona}
    taken = {normalise(one) for one in persona}
    for key, friend in people.items():
        mine = {normalise(key), *(normalise(str(one)) for one in friend.get("names", ()))}
        agreed = mine & wanted.keys()
        if agreed or friend.get("consent"):
            friend["consent"] = bool(agreed)
        taken |= mine
        wanted = {name: shown for name, shown in wanted.items() if name not in agreed}
    for shown in wanted.values():
        key = unique_key(shown, taken)
        people[key] = tomlkit.item({"names": [shown], "consent": True})
        taken.add(key)


def _replace(config: Path, text: str) -> None:
    """Whole or not at all, and only if it can be loaded."""
    fresh = config.with_name(f".{config.name}-{os.getpid()}")
    try:
        fresh.touch(mode=config.stat().st_mode & 0o777)
        fresh.write_text(text, encoding="utf-8")
        load(fresh)
        fresh.replace(config)
    finally:
        fresh.unlink(missing_ok=True)
