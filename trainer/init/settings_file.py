"""persona.toml as a first run writes it: the template's comments, the answers' values."""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.config import Base, Settings, parsed
from persona.errors import SettingsError
from persona.names import normalise, unique_key
from persona.platforms import NAMES
from trainer.init.answers import Someone

TEMPLATE = Path(__file__).with_name("template.toml")  # the committed persona.toml with every key at its default
_COMMENT_AT = 42  # the column of the comments
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Chosen:
    """All that a first run found out. sources: as the settings name them."""

    me: Someone
    friends: tuple[Someone, ...]
    sources: tuple[str, ...]
    dms: bool
    base: Base


def rendered(chosen: Chosen, template: str) -> str:
    """The text of persona.toml."""
    text = _with_friends(template, chosen)
    values = {
        ("persona", "name"): _string(chosen.me.name),
        ("persona", "aliases"): _list(chosen.me.calls),
        ("data", "sources"): _list(chosen.sources),
        ("data", "dms"): "true" if chosen.dms else "false",
        ("base", "model"): _string(chosen.base.model),
        ("base", "revision"): _string(chosen.base.revision),
    }
    for (table, key), value in values.items():
        text = with_value(text, table, key, value)
    return text


def with_value(text: str, table: str, key: str, value: str) -> str:
    """TOML with one value replaced, its comment kept in its column. value: as TOML writes it."""
    pattern = re.compile(
        rf"(^\[{re.escape(table)}\](?:(?!^\[).)*?^{re.escape(key)} = )[^\n#]*?[ ]*(#[^\n]*)?$", re.M | re.S
    )

    def line(found: re.Match[str]) -> str:
        comment = found[2] or ""
        first, *rest = value.split("\n", 1)
        filled = f"{key} = {first}".ljust(_COMMENT_AT - 1)[len(key) + 3 :]
        return "\n".join([found[1] + (f"{filled} {comment}" if comment else first), *rest])

    replaced, count = pattern.subn(line, text, count=1)
    if not count:
        raise KeyError(f"[{table}] {key}")
    return replaced


def as_named(source: Path, root: Path, home: Path) -> str:
    """A path as the settings in `root` name it: relative below them, from ~ below the user's home, else absolute."""
    path = source.absolute()  # a link stays a link: what it leads to may move
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix() or "."
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else path.as_posix()


def write(text: str, target: Path, *, replace: bool) -> Settings:
    """Write the settings whole or not at all, once they load. Raises SettingsError where there are some and `replace`
    doesn't hold."""
    settings = parsed(text, target)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        if replace:
            draft.replace(target)
        else:
            _put(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return settings


def _put(draft: Path, target: Path) -> None:
    """Without hard links, which not every disk has."""
    try:
        target.touch(exist_ok=False)
    except FileExistsError:
        raise SettingsError(
            f"{target} is there already; add --force to replace it, or name another with --to"
        ) from None
    draft.replace(target)


def _with_friends(template: str, chosen: Chosen) -> str:
    """The template's one [people] table for each who consented; where nobody did, it stays as a comment."""
    start, end = (template.index(f"\n[{table}]") + 1 for table in ("people.KEY", "data"))
    table = template[start:end]
    if not chosen.friends:
        blank = "".join(f"# {line}\n" if line else "\n" for line in table.splitlines())
        return template[:start] + blank + template[end:]
    taken = {normalise(name) for name in (chosen.me.name, *chosen.me.calls)}
    tables: list[str] = []
    for friend in chosen.friends:
        key = unique_key(friend.name, taken)
        taken.add(key)
        tables.append(_friend(table if not tables else _uncommented(table), key, friend))
    return template[:start] + "".join(tables) + template[end:]


def _friend(table: str, key: str, friend: Someone) -> str:
    text = with_value(table, "people.KEY", "names", _list([friend.name, *friend.calls]))
    for platform in NAMES:
        text = with_value(text, "people.KEY", platform, _list(friend.ids(platform)))
    text = with_value(text, "people.KEY", "consent", "true")
    head = f"[people.{key if _BARE.fullmatch(key) else _string(key)}]"
    return re.sub(
        r"\[people\.KEY\] *", lambda _: f"{head:<{_COMMENT_AT}}" if "#" in text.split("\n")[0] else head, text, count=1
    )


def _uncommented(table: str) -> str:
    return "".join(f"{line.split('#')[0].rstrip()}\n" for line in table.splitlines())


def _list(values: Iterable[str]) -> str:
    items: Sequence[str] = [_string(value) for value in values]
    inline = f"[{', '.join(items)}]"
    return inline if len(inline) <= 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"


def _string(value: str) -> str:
    """A basic string: TOML's escapes are JSON's, and DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
