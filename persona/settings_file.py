"""persona.toml as a document: values change, comments, order and all else stay."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from persona.atomic import write_whole
from persona.config import Settings, parsed
from persona.errors import SettingsError

NEW_FILE = 0o644  # there are no secrets in it

Value = str | bool | Sequence[str]


class SettingsDocument:
    """The text of some settings, to be edited."""

    def __init__(self, text: str) -> None:
        self._document: Any = tomlkit.parse(text)

    @property
    def text(self) -> str:
        """Return the text as it is now."""
        return tomlkit.dumps(self._document)

    @property
    def people(self) -> Mapping[str, Any]:
        """Return the tables of [people]."""
        people: Mapping[str, Any] = self._document.get("people", {})
        return people

    def get(self, table: str, key: str, default: Any = None) -> Any:
        """Return the value of a key, `default` if it is not set."""
        return self._document.get(table, {}).get(key, default)

    def set(self, table: str, key: str, value: Value) -> None:
        """Set a key of a table; its comment stays in its column."""
        _set(self._document.setdefault(table, tomlkit.table()), key, value)

    def set_person(self, key: str, values: Mapping[str, Value], *, like: str = "") -> None:
        """Set keys of the table [people.KEY], added if it is not there. like: a table to copy comments and keys from."""
        people = self._document.setdefault("people", tomlkit.table(is_super_table=True))
        new = key not in people
        if new:
            people.add(key, copy.deepcopy(people[like]) if like else tomlkit.table())
        for name, value in values.items():
            _set(people[key], name, value)
        if new and not like:
            people[key].add(tomlkit.nl())

    def remove_person(self, key: str) -> None:
        """Remove the table [people.KEY]."""
        self._document["people"].remove(key)


def save_settings(text: str, path: Path, *, overwrite: bool = True) -> Settings:
    """Write settings whole or not at all, and only if they load; a link stays a link.

    Raises SettingsError if they don't load, or if some are there and may not be overwritten.
    """
    settings = parsed(text, path)
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else NEW_FILE
    try:
        write_whole(target, [text], mode=mode, overwrite=overwrite)
    except FileExistsError:
        raise SettingsError(f"{path} is there already; add --force to replace it, or name another with --to") from None
    return settings


def _set(table: Any, key: str, value: Value) -> None:
    old = table.item(key) if key in table else None
    table[key] = _item(value)
    if old is not None and old.trivia.comment:
        column = _last_line(key, old) + len(old.trivia.comment_ws)
        trivia = table.item(key).trivia
        trivia.comment_ws = " " * max(1, column - _last_line(key, table.item(key)))
        trivia.comment = old.trivia.comment


def _last_line(key: str, item: Any) -> int:
    """Return the length of the line that a comment stands behind."""
    return len(f"{key} = {item.as_string()}".rpartition("\n")[2])


def _item(value: Value) -> Any:
    """Return a TOML item; a list that makes a long line is written one value a line."""
    item: Any = tomlkit.item(value if isinstance(value, str | bool) else list(value))
    return item.multiline(True) if not isinstance(value, str | bool) and len(item.as_string()) > 100 else item
