"""Slack's workspace export: a folder a channel with a file a day, beside `users.json`, `channels.json`, `groups.json`,
`dms.json` and `mpims.json`.

Learned from hfaran/slack-export-viewer. `ts` is a message's id and its time; replies
bear the `thread_ts` of their parent. `<@U…>`, `<#C…|name>`, `<address|label>` and `<!here>` are undone, and `&amp;`, `&lt;`,
`&gt;`. Days are not in order, nor are the messages of a day.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree, head
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.attachment import kind_of
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.source import Reading, Source

_DAY = re.compile(r"(?:.*/)?([^/]+)/(?:\d{4}-\d\d-\d\d|[^/]*)\.json")
_LISTS: dict[str, ConversationType | None] = {
    "users.json": None,
    "channels.json": "group",
    "groups.json": "group",
    "dms.json": "dm",
    "mpims.json": "dm",
}
_MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_SPOKEN = {"", "thread_broadcast", "me_message", "bot_message", "file_share", "file_comment", "reply_broadcast"}
_CALLS = {"huddle_thread", "sh_room_created"}


class _Edited(msgspec.Struct):
    ts: str = ""


class _Row(msgspec.Struct):
    ts: str
    type: str = "message"
    subtype: str | None = None
    user: str | None = None
    username: str | None = None
    bot_id: str | None = None
    text: str | None = None
    thread_ts: str | None = None
    edited: _Edited | None = None
    user_profile: dict[str, Any] | None = None
    files: list[dict[str, Any] | None] | None = None
    blocks: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class _Workspace:
    """Who is who and what is where. people: id -> display name, handle, bot. channels: folder -> id, type."""

    people: dict[str, tuple[str, str, bool]]
    channels: dict[str, tuple[str, ConversationType]]

    def name(self, user: str) -> str:
        """The display name of an id."""
        return self.people.get(user, ("", "", False))[0]


class _Listed(msgspec.Struct):
    """An entry of users.json or of a list of channels."""

    id: str = ""
    name: str = ""
    real_name: str | None = None
    is_bot: bool | None = None
    profile: dict[str, Any] | None = None


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Everything below each folder that has a users.json or a list of channels."""
    roots = {name.rpartition("/")[0] for name in names if _is_list(tree, name)}
    found: list[tuple[str, ...]] = []
    for root in sorted(roots):
        prefix = f"{root}/" if root else ""
        inside = [name for name in names if name.startswith(prefix)]
        days = [name for name in inside if name.count("/") == prefix.count("/") + 1 and _is_day(tree, name)]
        if days:
            found.append((*days, *(name for name in inside if name.removeprefix(prefix) in _LISTS)))
    loose = tuple(name for name in names if not found and _is_day(tree, name))
    return found or ([loose] if loose else [])


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
        found = _DAY.fullmatch(name)
        folder = found[1] if found else name.rpartition("/")[2].removesuffix(".json")
        for row in JsonRecords(partial(tree.open, name), name, "", _Row):
            if isinstance(row, _Row):
                yield _message(row, folder, workspace)
            elif not isinstance(row, Opening):
                yield row


def _workspace(tree: Tree, lists: Sequence[str]) -> _Workspace:
    workspace = _Workspace({}, {})
    for name in lists:
        kind = _LISTS[name.rpartition("/")[2]]
        for row in JsonRecords(partial(tree.open, name), name, "", _Listed):
            if not isinstance(row, _Listed):
                continue
            if kind:
                workspace.channels[row.name or row.id] = (row.id, kind)
            else:
                profile = row.profile or {}
                shown = profile.get("display_name") or profile.get("real_name") or row.real_name or row.name
                workspace.people[row.id] = (str(shown), row.name, bool(row.is_bot))
    return workspace


def _message(row: _Row, folder: str, workspace: _Workspace) -> Message:
    channel, kind = workspace.channels.get(folder, (folder, "group"))
    user = row.user or row.bot_id or ""
    name, handle, bot = workspace.people.get(user, ("", "", False))
    profile = row.user_profile or {}
    shown = name or profile.get("display_name") or profile.get("real_name") or row.username or ""
    subtype = row.subtype or ""
    text = row.text or _of_blocks(row.blocks or [])
    return Message(
        platform="slack",
        conversation_id=channel,
        conversation_type=kind,
        conversation_name=folder,
        message_id=row.ts,
        sender_id=user,
        sender_name=str(shown),
        sender_handle=handle,
        is_bot=bot or bool(row.bot_id) or subtype == "bot_message",
        timestamp=_timestamp(row.ts),
        edited_at=_timestamp(row.edited.ts) if row.edited else None,
        kind="call" if subtype in _CALLS else "message" if subtype in _SPOKEN and row.type == "message" else "service",
        text=_plain(text, workspace),
        reply_to_id=row.thread_ts if row.thread_ts and row.thread_ts != row.ts else "",
        mentions=tuple((found[2], workspace.name(found[2])) for found in _MARKUP.finditer(text) if found[1] == "@"),
        attachments=tuple(
            kind_of(str(file.get("mimetype") or file.get("name") or "")) for file in row.files or () if file
        ),
    )


def _of_blocks(blocks: list[Any], depth: int = 8) -> str:
    """The words of rich text, for messages without any other."""
    found: list[str] = []
    for block in blocks if depth else ():
        if not isinstance(block, dict):
            continue
        text, inner = block.get("text"), block.get("elements")
        if block.get("type") in ("user", "link", "emoji", "channel"):
            found.append(_element(block))
        elif isinstance(text, str):
            found.append(text)
        elif isinstance(text, dict):
            found.append(str(text.get("text") or ""))
        elif isinstance(inner, list):
            found.append(_of_blocks(inner, depth - 1))
    return "".join(found)


def _element(element: dict[str, Any]) -> str:
    """A person, a link, an emoji or a channel, in Slack's markup."""
    match element.get("type"):
        case "user":
            return f"<@{element.get('user_id', '')}>"
        case "link":
            return f"<{element.get('url', '')}>"
        case "channel":
            return f"<#{element.get('channel_id', '')}>"
    return f":{element.get('name', '')}:"


def _plain(text: str, workspace: _Workspace) -> str:
    """A text without Slack's markup."""

    def undone(found: "re.Match[str]") -> str:
        sign, target, label = found.groups()
        if sign == "@":
            return f"@{workspace.name(target) or label or 'someone'}"
        if sign == "#":
            return f"#{label or target}"
        return f"@{(label or target).lstrip('@').partition('^')[0]}" if sign == "!" else target

    text = _MARKUP.sub(undone, text)
    for entity, char in _ENTITIES.items():
        text = text.replace(entity, char)
    return text


def _timestamp(ts: str) -> float | None:
    try:
        return datetime.fromtimestamp(float(ts), UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


SOURCE = Source("Slack", _claim, _read)
