"""Discord's own data package ("Request all of my data"): `messages/index.json`, and a folder a channel with `channel.json`
and `messages.csv` (until 2023) or `messages.json`.

Learned from seanbreckenridge/discord_data. Only the account's own messages are in it, so there is no context: they are
is_self. Letter case of folders varies (`messages/`, `Messages/`), so do languages of their names: files are match by content.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree, head
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.discord_markup import DiscordNames, mentioned_ids, without_markup
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.repair import mend_json
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, companions

_COLUMNS = ["ID", "Timestamp", "Contents", "Attachments"]
MAX_ABOUT_BYTES = 16 << 20  # bytes of a small file that is read whole
_DM, _GROUP_DM = {"1", "DM"}, {"3", "GROUP_DM"}


class _Row(msgspec.Struct, rename="pascal"):
    id: int | str = msgspec.field(name="ID")
    timestamp: str = ""
    contents: str | None = None
    attachments: str | None = None


@dataclass(frozen=True, slots=True)
class _Account:
    """Whose package it is, as far as it says."""

    id: str = ""
    name: str = "Me"
    handle: str = ""


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return all channels of a package together, with what tells their names."""
    listed = set(names)
    channels = [name for name in names if _is_channel(tree, name, listed)]
    if not channels:
        return []
    roots = {name.rpartition("/")[0].rpartition("/")[0] for name in channels}
    about = [
        name
        for name in names
        if name.rpartition("/")[2].lower() in ("index.json", "user.json", "channel.json")
        and any(name.rpartition("/")[0].startswith(root.rpartition("/")[0]) for root in roots)
    ]
    return [(*channels, *about)]


def _is_channel(tree: Tree, name: str, listed: set[str]) -> bool:
    folder, _, file = name.rpartition("/")
    if file.lower() not in ("messages.csv", "messages.json"):
        return False
    start = head(tree, name)
    if file.lower().endswith(".csv"):
        return csv_header(start)[:4] == _COLUMNS
    empty = start.strip() == b"[]" and f"{folder}/channel.json".lstrip("/") in listed
    return empty or all(f'"{column}"'.encode() in start for column in _COLUMNS[:3])


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    by_name = {name.rpartition("/")[2].lower(): name for name in members}
    account = _account(_about(tree, by_name.get("user.json", "")))
    titles = _about(tree, by_name.get("index.json", ""))
    for name in members:
        if name.rpartition("/")[2].lower() not in ("messages.csv", "messages.json"):
            continue
        folder = name.rpartition("/")[0]
        about = next((member for member in members if member == f"{folder}/channel.json".lstrip("/")), "")
        channel = _about(tree, about)
        channel.setdefault("id", folder.rpartition("/")[2].lstrip("c"))
        for row in _rows(tree, name):
            yield row if isinstance(row, Reject) else _message(row, channel, titles, account)


def _about(tree: Tree, name: str) -> dict[str, Any]:
    """Return a small JSON object; empty if it can't be read."""
    if not name or tree.size(name) > MAX_ABOUT_BYTES:
        return {}
    with tree.open(name) as stream:
        try:
            decoded = msgspec.json.decode(mend_json(stream.read()))
        except (ValueError, RecursionError):
            return {}
    return decoded if isinstance(decoded, dict) else {}


def _account(user: dict[str, Any]) -> _Account:
    handle = str(user.get("username") or "")
    return _Account(str(user.get("id") or ""), str(user.get("global_name") or handle or "Me"), handle)


def _rows(tree: Tree, name: str) -> Iterator[_Row | Reject]:
    if name.lower().endswith(".csv"):
        with tree.open(name) as stream:
            for item in csv_rows(stream, name):
                yield item if isinstance(item, Reject) else msgspec.convert(item[1], _Row)
        return
    for record in JsonRecords(partial(tree.open, name), name, "", _Row):
        if not isinstance(record, Opening):
            yield record


def _message(row: _Row, channel: dict[str, Any], titles: dict[str, Any], account: _Account) -> Message:
    number = str(channel["id"])
    text = row.contents or ""
    title = str(titles.get(number) or channel.get("name") or "")
    return Message(
        platform="discord",
        conversation_id=number,
        conversation_type="dm" if str(channel.get("type")) in _DM else "group",
        is_group_dm=str(channel.get("type")) in _GROUP_DM,
        conversation_name=title,
        message_id=str(row.id),
        sender_id=account.id,
        sender_name=account.name,
        sender_handle=account.handle,
        is_self=True,
        timestamp=iso_timestamp(row.timestamp),
        text=without_markup(text, DiscordNames(channels={number: title})),
        mentions=tuple((person, "") for person in mentioned_ids(text)),
        attachments=tuple(medium_of(url) for url in (row.attachments or "").split()),
    )


SOURCE = Source(
    "Discord data package",
    _claim,
    _read,
    experimental=True,
    is_companion=companions(
        r"(?:^|/)(?:account|activity|activities|servers|programs|ads|support_tickets)/|(?:^"
        r"|/)README\.txt$|(?:^|/)(?:analytics|modeling|reporting|tns)/events-[^/]*$|(?:^|/)(?:traits|tickets)\.json$"
    ),
)
