"""The page of docs/ on persona.toml, made of what the template says of each key and what the settings allow:
`python -m trainer.init.reference docs/settings.md`."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from persona.atomic import write_whole
from persona.config import Settings
from trainer.init.first_settings import EXAMPLE, TEMPLATE

HEAD = """# Settings

<!-- made by `make docs` of trainer/init/template.toml and the settings' own checks; write changes there -->

Everything is set in `persona.toml`. Its folder is the persona's home: relative paths start there. Only `[persona] name` is
required; every other key has the default shown here. A key that is misspelt is an error that names the nearest one. Secrets
don't belong in this file: they come from the environment, from a `.env` beside it that only you can read, or from systemd
([As a service](systemd.md)). A duration is a number and its unit: `"90s"`, `"15m"`, `"6h"`, `"2d"`.
"""
_TABLE = re.compile(r"(?:# )?(\[\[?([\w.]+)\]\]?)\s*(?:#\s*(.*))?")
_DURATION = re.compile(r'"\d+[smhd]"')
_KEY = re.compile(r"(#\s*)?(\w+) = (.*?)(?:\s+#\s+(.*))?")


class Key(NamedTuple):
    """A key of a table. default: as TOML, "" if there is none."""

    name: str
    default: str
    description: str


class Table(NamedTuple):
    """A table of the settings. title: as it stands there, in brackets."""

    title: str
    name: str
    description: str
    keys: list[Key]


def reference() -> str:
    """Return the whole page."""
    return HEAD + "".join(map(_section, tables(TEMPLATE.read_text("utf-8"))))


def tables(template: str) -> list[Table]:
    """Return what a template says of each table and key."""
    listed: list[Table] = []
    for line in template.splitlines():
        if table := _TABLE.fullmatch(line):
            listed.append(Table(table[1], table[2], table[3] or "", []))
        elif listed and (key := _KEY.fullmatch(line)):
            listed[-1].keys.append(Key(key[2], "" if key[1] else key[3].strip(), key[4] or ""))
    return listed


def _section(table: Table) -> str:
    schema = Settings.model_json_schema()
    properties = _properties(schema, table.name.split("."))
    rows = "".join(f"| {' | '.join(_row(key, properties.get(key.name, {}), schema))} |\n" for key in table.keys)
    description = f"{table.description[:1].upper()}{table.description[1:]}.\n\n" if table.description else ""
    return f"\n## {table.title}\n\n{description}| Key | Default | Allowed | Meaning |\n|---|---|---|---|\n{rows}"


def _row(key: Key, rule: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, ...]:
    allowed = "duration" if _DURATION.fullmatch(key.default) else _allowed(rule, schema)
    default = f"`{_escaped(key.default)}`" if key.default else "not set"
    return f"`{key.name}`", default, allowed, _escaped(key.description)


def _properties(schema: Mapping[str, Any], path: list[str]) -> Mapping[str, Any]:
    """The keys of the table that `path` leads to; of [people.KEY], those of a person."""
    part: Mapping[str, Any] = schema
    for name in path:
        part = part["additionalProperties"] if name == EXAMPLE else part["properties"][name]
        part = part.get("items", part)  # of [[place]], those of a place
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    properties: Mapping[str, Any] = part["properties"]
    return properties


def _allowed(rule: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What may stand there, in words."""
    if "$ref" in rule:
        return _allowed(schema["$defs"][rule["$ref"].rpartition("/")[2]], schema)
    if "anyOf" in rule:
        options = [_allowed(option, schema) for option in rule["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(option for option in options if option))
    if "enum" in rule:
        return ", ".join(f'`"{value}"`' for value in rule["enum"])
    if "const" in rule:
        return f'`"{rule["const"]}"`'
    kind = rule.get("type", "")
    if "prefixItems" in rule:
        return 'hours, as in `"09:00-23:00"`'
    if kind == "array":
        inside = _allowed(rule["items"], schema)
        return f"list of {inside if inside.startswith('`') else 'texts'}"
    words = {"boolean": "`true`, `false`", "string": "text", "integer": "whole number", "number": "number"}.get(
        kind, ""
    )
    return " ".join(filter(None, (words, *_bounds(rule))))


def _bounds(rule: Mapping[str, Any]) -> Iterator[str]:
    for bound, words in (
        ("minimum", "from"),
        ("exclusiveMinimum", "above"),
        ("maximum", "to"),
        ("exclusiveMaximum", "below"),
    ):
        if bound in rule:
            yield f"{words} {rule[bound]:g}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_whole(Path(name), [reference()], mode=0o644)
