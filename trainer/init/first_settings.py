"""persona.toml as a first run writes it: the template's comments, the answers' values."""

from dataclasses import dataclass
from pathlib import Path

from persona.config import Base
from persona.names import normalise, unique_key
from persona.platforms import NAMES
from persona.settings_file import SettingsDocument, Value
from trainer.init.answers import ChosenPerson

TEMPLATE = Path(__file__).with_name("template.toml")  # the committed persona.toml with every key at its default
EXAMPLE = "KEY"  # the template's one table of [people]


@dataclass(frozen=True, slots=True)
class FirstRunAnswers:
    """The answers of a first run. sources: as the settings name them."""

    me: ChosenPerson
    friends: tuple[ChosenPerson, ...]
    sources: tuple[str, ...]
    dms: bool
    base: Base


def rendered(chosen: FirstRunAnswers, template: str) -> str:
    """Return the text of persona.toml."""
    document = SettingsDocument(template if chosen.friends else _with_example_commented(template))
    document.set("persona", "name", chosen.me.name)
    document.set("persona", "aliases", chosen.me.calls)
    document.set("data", "sources", chosen.sources)
    document.set("data", "dms", chosen.dms)
    document.set("base", "model", chosen.base.model)
    document.set("base", "revision", chosen.base.revision)
    _add_friends(document, chosen)
    return document.text


def person_values(friend: ChosenPerson) -> dict[str, Value]:
    """Return the table of somebody who consented."""
    ids: dict[str, Value] = {platform: friend.ids(platform) for platform in NAMES}
    return {"names": friend.names, **ids, "consent": True}


def settings_path(source: Path, root: Path, home: Path) -> str:
    """Return a path as settings in `root` name it: relative below them, from ~ below the user's home, else absolute."""
    path = source.absolute()  # a link stays a link: what it leads to may move
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix() or "."
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else path.as_posix()


def _add_friends(document: SettingsDocument, chosen: FirstRunAnswers) -> None:
    """Replace the template's example by a table for everybody who consented."""
    taken = {normalise(name) for name in (chosen.me.name, *chosen.me.calls, EXAMPLE)}
    taken |= {name for friend in chosen.friends for name in friend.shared}  # a table's key is a name of theirs, too
    for friend in chosen.friends:
        key = unique_key(friend.name, taken)
        taken.add(key)
        document.set_person(key, person_values(friend), like="" if friend is not chosen.friends[0] else EXAMPLE)
    if chosen.friends:
        document.remove_person(EXAMPLE)


def _with_example_commented(template: str) -> str:
    start, end = (template.index(f"\n[{table}]") + 1 for table in (f"people.{EXAMPLE}", "data"))
    lines = template[start:end].splitlines()
    return template[:start] + "".join(f"# {line}\n" if line else "\n" for line in lines) + template[end:]
