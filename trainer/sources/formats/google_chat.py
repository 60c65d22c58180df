"""Google Chat, as Google Takeout gives it: `Google Chat/Groups/DM …/messages.json` or `Space …`, beside `group_info.json`.

Learned from public parsers and schemas. `created_date` is written in English (`Thursday, March 4, 2021 at 5:06:07 PM UTC`,
since 2023 with U+202F before PM). A space's folder is its id. `message_id` is `SPACE/TOPIC/MESSAGE`; the message that began
a topic bears its id, and the others answer it; quotations are in `quoted_message_metadata`. Which account made the export is
not told there.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import HEAD, Tree, head
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.local_dates import time_of_day, unmarked
from trainer.sources.parsing.months import month_of
from trainer.sources.parsing.repair import mend_json
from trainer.sources.source import Reading, Source, companions

_CLOCK = r"\D{1,12}?(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?P<half> ?[AP]M)?\b.*"
_DATES = tuple(  # in the language of the account
    re.compile(date + _CLOCK, re.IGNORECASE)
    for date in (
        r"(?:\w+,? )?(?P<month>[^\W\d]{3,12}) (?P<day>\d{1,2}), (?P<year>\d{4})",
        r"(?:[^\W\d]+,? )?(?P<day>\d{1,2})\.? (?:de )?(?P<month>[^\W\d]{3,12})\.?,? (?:de )?(?P<year>\d{4})",
        r"(?P<year>\d{4})[年년] ?(?P<number>\d{1,2})[月월] ?(?P<day>\d{1,2})[日일]",
    )
)


class _Creator(msgspec.Struct):
    name: str = ""
    email: str = ""
    user_type: str = ""


class _Row(msgspec.Struct):
    creator: _Creator | None = None
    created_date: str = ""
    updated_date: str = ""
    text: str = ""
    topic_id: str = ""
    message_id: str = ""
    message_state: str = ""
    attached_files: list[dict[str, Any]] | None = None
    quoted_message_metadata: dict[str, Any] | None = None
    reactions: list[dict[str, Any]] | None = None


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each conversation's messages, with what is told about it."""
    listed = set(names)
    groups: list[tuple[str, ...]] = []
    for name in names:
        if name.lower().endswith(".json") and _recognises(head(tree, name)):
            about = f"{name.rpartition('/')[0]}/group_info.json".lstrip("/")
            groups.append((name, about) if about in listed else (name,))
    return groups


def _recognises(start: bytes) -> bool:
    return b'"messages"' in start and b'"creator"' in start and (b'"created_date"' in start or b'"topic_id"' in start)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    name = members[0]
    about = _about(tree, members[1]) if len(members) > 1 else {}
    folder = name.rpartition("/")[0].rpartition("/")[2]
    title = str(about.get("name") or "") or " + ".join(_people(about))
    chat = folder or title or name
    private = folder.startswith("DM ") or (not folder.startswith("Space ") and 0 < len(_people(about)) <= 2)
    ids = DerivedIds(chat)
    for row in JsonRecords(partial(tree.open, name), name, "messages", _Row):
        if isinstance(row, _Row):
            yield _message(row, chat, title, "dm" if private else "group", ids)
        elif not isinstance(row, Opening):
            yield row


def _about(tree: Tree, name: str) -> dict[str, Any]:
    """Return group_info.json; empty if it can't be read."""
    with tree.open(name) as stream:
        try:
            decoded = msgspec.json.decode(mend_json(stream.read(16 * HEAD)))
        except (ValueError, RecursionError):
            return {}
    return decoded if isinstance(decoded, dict) else {}


def _people(about: dict[str, Any]) -> list[str]:
    members = about.get("members")
    if not isinstance(members, list):
        return []
    return [str(person.get("name") or person.get("email") or "") for person in members if isinstance(person, dict)]


def _message(row: _Row, chat: str, title: str, chat_type: ConversationType, ids: DerivedIds) -> Message:
    creator = row.creator or _Creator()
    at = _timestamp(row.created_date)
    quoted = row.quoted_message_metadata or {}
    return Message(
        platform="google_chat",
        conversation_id=chat,
        conversation_type=chat_type,
        conversation_name=title or chat,
        message_id=row.message_id or ids.next(at, creator.email or creator.name, row.text),
        sender_id=creator.email,
        sender_name=creator.name,
        is_bot=creator.user_type == "Bot",
        timestamp=at,
        edited_at=_timestamp(row.updated_date),
        kind="unsupported" if row.message_state == "DELETED" else "message" if row.creator else "service",
        text=row.text,
        reply_to_id=str(quoted.get("message_id") or "") or _topic(row.message_id),
        quoted_text=str(quoted.get("text") or ""),
        attachments=tuple(
            medium_of(str(file.get("export_name") or file.get("original_name") or ""))
            for file in row.attached_files or ()
        ),
        reactions=tuple(_reactions(row.reactions or ())),
    )


def _reactions(reactions: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield who reacted with what: people by their addresses."""
    for reaction in reactions:
        emoji, people = reaction.get("emoji"), reaction.get("reactor_emails")
        if isinstance(emoji, dict) and emoji.get("unicode") and isinstance(people, list):
            yield from ((str(emoji["unicode"]), str(person)) for person in people)


def _topic(message_id: str) -> str:
    """Return the message that began the topic; empty if it is this one."""
    space, _, rest = message_id.partition("/")
    topic, _, number = rest.partition("/")
    return f"{space}/{topic}/{topic}" if topic and number and topic != number else ""


def _timestamp(text: str) -> float | None:
    bare = unmarked(text).strip()
    match = next((match for pattern in _DATES if (match := pattern.fullmatch(bare))), None)
    if not match:
        return None
    parts = match.groupdict()
    month = int(parts.get("number") or month_of(parts.get("month") or ""))
    clock = time_of_day(parts["hour"], parts["minute"], parts["second"], (parts["half"] or "").strip().casefold())
    try:
        day = date(int(parts["year"]), month, int(parts["day"]))
    except ValueError:
        return None
    return datetime.combine(day, clock, UTC).timestamp() if clock else None


SOURCE = Source(
    "Google Chat",
    _claim,
    _read,
    experimental=True,
    is_companion=companions(r"(?:^|/)(?:group_info|user_info)\.json$|(?:^|/)archive_browser\.html$"),
)
