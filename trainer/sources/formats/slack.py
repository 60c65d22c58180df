"""Slack's workspace export: a folder a channel with a file a day, beside `users.json`, `channels.json`, `groups.json`,
`dms.json` and `mpims.json`.

Learned from hfaran/slack-export-viewer. Days are not in order, nor are the messages of a day. A folder that no list names is
a private conversation if it is called as one (`D0123ABCD`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trainer.sources.files.tree import Tree, head
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.slack_message import (
    KNOWN_KEYS,
    SlackChannel,
    SlackPeople,
    SlackPerson,
    SlackRow,
    slack_message,
)
from trainer.sources.parsing.unread import EmptyRows
from trainer.sources.source import Reading, Source, companions

_DAY = re.compile(r"(?:.*/)?([^/]+)/(?:\d{4}-\d\d-\d\d|[^/]*)\.json")
_USERS = "users.json"
_LISTS = (_USERS, "channels.json", "groups.json", "dms.json", "mpims.json")


@dataclass(frozen=True, slots=True)
class _Workspace:
    """Who is who and what is where. channels: by the name of their folder."""

    people: SlackPeople = field(default_factory=SlackPeople)
    channels: dict[str, SlackChannel] = field(default_factory=dict)


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Everything below each folder that has a users.json or a list of channels."""
    roots = {name.rpartition("/")[0] for name in names if _is_list(tree, name)}
    groups: list[tuple[str, ...]] = []
    for root in sorted(roots):
        prefix = f"{root}/" if root else ""
        inside = [name for name in names if name.startswith(prefix)]
        days = [name for name in inside if name.count("/") == prefix.count("/") + 1 and _is_day(tree, name)]
        if days:
            groups.append((*days, *(name for name in inside if name.removeprefix(prefix) in _LISTS)))
    loose = tuple(name for name in names if not groups and _is_day(tree, name))
    return groups or ([loose] if loose else [])


def _is_list(tree: Tree, name: str) -> bool:
    if name.rpartition("/")[2] not in _LISTS:
        return False
    start = head(tree, name).lstrip()
    return start.startswith(b"[") and (b'"id"' in start or start.strip() == b"[]")


def _is_day(tree: Tree, name: str) -> bool:
    if not name.endswith(".json"):
        return False
    start = head(tree, name).lstrip(b"\xef\xbb\xbf \t\r\n")
    return (
        start.startswith(b"[")
        and b'"ts":' in start
        and (b'"text":' in start or b'"subtype":' in start)
        and b'"type":' in start
    )


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    days = [name for name in members if name.rpartition("/")[2] not in _LISTS]
    workspace = _workspace(tree, [name for name in members if name.rpartition("/")[2] in _LISTS])
    for name in sorted(days):
        match = _DAY.fullmatch(name)
        folder = match[1] if match else name.rpartition("/")[2].removesuffix(".json")
        channel = workspace.channels.get(folder) or SlackChannel.named(folder, folder)
        empty = EmptyRows(KNOWN_KEYS)
        for row in JsonRecords(partial(tree.open, name), name, "", SlackRow):
            if isinstance(row, SlackRow):
                message = slack_message(row, channel, workspace.people)
                if not (message.text or message.attachments or message.quoted_text) and message.kind == "message":
                    empty.note(message.message_id)
                yield message
            elif not isinstance(row, Opening):
                yield row
        yield from empty.rejects(JsonRecords(partial(tree.open, name), name, "", dict[str, Any]), name, "ts")


def _workspace(tree: Tree, lists: Sequence[str]) -> _Workspace:
    workspace = _Workspace()
    for name in lists:
        listed = name.rpartition("/")[2]
        for row in JsonRecords(partial(tree.open, name), name, "", SlackPerson):
            if isinstance(row, SlackPerson) and listed == _USERS:
                workspace.people.note(row)
            elif isinstance(row, SlackPerson):
                folder = row.name or row.id
                workspace.channels[folder] = SlackChannel.named(row.id, folder, listed)
    return workspace


SOURCE = Source(
    "Slack",
    _claim,
    _read,
    is_companion=companions(
        r"(?:^|/)(?:integration_logs|canvases|canvas_in_the_conversation|huddle_transcripts|lists"
        r"|file_conversations|org_users|lists_in_the_conversation)\.json$|(?:^|/)(?:attachments|__uploads"
        r"|__avatars)/"
    ),
)
