"""The small files of an X archive: the data type of each file, whose archive it is, what the manifest lists. Not a source."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainer.sources.files.tree import Tree
from trainer.sources.parsing.repair import decode_text
from trainer.sources.parsing.x_tweet import Owner

_KIND = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:window\.)?(?:YTD\.([\w-]+?)\.part\d+|(__THAR_CONFIG)|Grailbird\.data\.tweets_\w+)\s*="
)
_PAGE = re.compile(
    r"(?:^|/)(?:assets|css|js|lib|img)/|(?:^|/)(?:Your archive|index|tweets)\.html$|(?:^|/)README\.txt$|(?:^|/)tweets\.csv$"
)
_LARGEST = 4 << 20  # bytes of a manifest


def data_type_of(start: bytes) -> str:
    """Return what a file that begins so holds, as X names it: tweets, note_tweet, account, direct_messages …; "manifest";
    "grailbird" for a month of an archive of 2018 and before; "" for any other file."""
    match = _KIND.match(start)
    if not match:
        return ""
    return match[1].decode().replace("-", "_") if match[1] else "manifest" if match[2] else "grailbird"


def is_companion(name: str, start: bytes) -> bool:
    """Return whether a file is a part of an archive without messages, such as likes."""
    return bool(data_type_of(start)) or bool(_PAGE.search(name))


def folder(name: str) -> str:
    """Return the folder that a member lies in."""
    return name.rpartition("/")[0]


def in_order(names: Iterable[str]) -> list[str]:
    """tweets.js, tweets-part1.js, … tweets-part10.js."""
    return sorted(names, key=lambda name: (len(name), name))


def owner(tree: Tree, names: Sequence[str]) -> Owner:
    """Return whose archive `names` are of, by account.js or the manifest."""
    for name in names:
        if data_type_of(tree.head(name)) == "account":
            for entry in content(tree, name, list):
                account = entry.get("account") if isinstance(entry, dict) else None
                if isinstance(account, dict):
                    return _named(account.get("username"), account.get("accountId"), account.get("accountDisplayName"))
    info = manifest(tree, names).get("userInfo")
    return (
        _named(info.get("userName"), info.get("accountId"), info.get("displayName"))
        if isinstance(info, dict)
        else _named()
    )


def _named(username: Any = "", number: Any = "", name: Any = "") -> Owner:
    handle = str(username or "")
    return Owner(handle, str(number or "") or handle or "me", str(name or "") or handle or "Me")


def manifest(tree: Tree, names: Sequence[str]) -> Mapping[str, Any]:
    """Return what manifest.js says; empty in archives of 2019 and before."""
    about: Mapping[str, Any] = {}
    for name in names:
        if data_type_of(tree.head(name)) == "manifest":
            about = content(tree, name, dict)
    return about


def listed(about: Mapping[str, Any], data_types: Iterable[str]) -> dict[str, int]:
    """Return the files a manifest lists for these data types, and how many records each has."""
    types = about.get("dataTypes")
    counts: dict[str, int] = {}
    for name in data_types:
        entry = types.get(name) if isinstance(types, dict) else None
        for file in entry.get("files", ()) if isinstance(entry, dict) else ():
            if isinstance(file, dict) and str(file.get("count", "")).isdecimal():
                counts[str(file.get("fileName", "")).rpartition("/")[2]] = int(file["count"])
    return counts


def content(tree: Tree, name: str, json_type: type[Any]) -> Any:
    """Return the JSON behind the first `=` of a small file; an empty object of type `wanted` if it can't be parsed."""
    with tree.open(name) as stream:
        text = decode_text(stream.read(_LARGEST))
    try:
        decoded = json.loads(text[text.index("=") + 1 :].rstrip(" ;\r\n"), strict=False)
    except (ValueError, RecursionError):
        return json_type()
    return decoded if isinstance(decoded, json_type) else json_type()
