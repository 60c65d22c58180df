"""A Matrix room, as Element exports it as JSON (room menu → Export chat).

Learned from Element's JSONExport.ts: `room_name`, `exported_by`, …, then `messages`: events as the server has them,
decrypted where the client could; `origin_server_ts` is in milliseconds. Edits (`m.replace`) are events of their own: the id
is that of the first version, so that the last one counts. Reactions (`m.reaction`) are events of their own, too. Whether a
room is a dm is told by how many speak. Fallbacks of replies (`> <@user> …`) are cut off.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.participants import conversation_type
from trainer.sources.source import Reading, Source, claim_each

_FALLBACK = re.compile(r"\A(> .*\n)+\n?")
_QUOTED = re.compile(r"^> ?(?:\* ?)?(?:<@[^>\n]*> ?)?", re.MULTILINE)
_MEDIA = {"m.image": "photo", "m.video": "video", "m.audio": "audio", "m.file": "file", "m.sticker": "sticker"}
_CALLS = ("m.call.", "org.matrix.msc3401.call")
MAX_REACTED = 100_000  # messages with reactions that are remembered


class _Event(msgspec.Struct):
    event_id: str
    type: str = ""
    sender: str = ""
    origin_server_ts: float | None = None
    content: dict[str, Any] | None = None
    unsigned: dict[str, Any] | None = None
    room_id: str = ""


def _recognises(start: bytes) -> bool:
    return b'"messages"' in start and (
        (b'"room_name"' in start and b'"exported_by"' in start)
        or (b'"origin_server_ts"' in start and b'"event_id"' in start and b'"sender"' in start)
    )


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        room: dict[str, Any] = {}
        names: dict[str, str] = {}
        people, reactions = _survey(tree, name)
        chat_type = conversation_type("", people)
        for item in JsonRecords(partial(tree.open, name), name, "messages", _Event):
            if isinstance(item, Opening):
                room = item.fields
            elif isinstance(item, _Event):
                _note_name(item, names)
                message = _message(item, room, chat_type, names)
                reacted = reactions.get(message.message_id, ())
                who = tuple((emoji, person, names.get(person, "")) for emoji, person in reacted)
                yield structs.replace(message, reactions=who) if who else message
            else:
                yield item


def _survey(tree: Tree, name: str) -> tuple[set[str], dict[str, list[tuple[str, str]]]]:
    """Return who speaks, as far as three, and who reacted with what to which message."""
    people: set[str] = set()
    reactions: dict[str, list[tuple[str, str]]] = {}
    for event in JsonRecords(partial(tree.open, name), name, "messages", _Event):
        if not isinstance(event, _Event):
            continue
        if len(people) < 3:
            people.add(event.sender)
        relation = (event.content or {}).get("m.relates_to") if event.type == "m.reaction" else None
        if isinstance(relation, dict) and relation.get("key") and len(reactions) < MAX_REACTED:
            reactions.setdefault(str(relation.get("event_id")), []).append((str(relation["key"]), event.sender))
    return people, reactions


def _note_name(event: _Event, names: dict[str, str]) -> None:
    """Take a member's display name from the event of their joining."""
    shown = (event.content or {}).get("displayname")
    if event.type == "m.room.member" and isinstance(shown, str) and len(names) < 100_000:
        names[event.sender] = shown


def _message(event: _Event, room: dict[str, Any], chat_type: ConversationType, names: dict[str, str]) -> Message:
    content = event.content or {}
    relation = content.get("m.relates_to")
    relation = relation if isinstance(relation, dict) else {}
    new = content.get("m.new_content")
    edited = relation.get("rel_type") == "m.replace" and isinstance(new, dict)
    answer = relation.get("m.in_reply_to")
    parent = (
        str(answer.get("event_id") or "") if isinstance(answer, dict) and not relation.get("is_falling_back") else ""
    )
    body = str((new if edited and isinstance(new, dict) else content).get("body") or "")
    fallback = _FALLBACK.match(body) if parent else None
    at = event.origin_server_ts / 1000 if event.origin_server_ts is not None else None
    media = _MEDIA.get(event.type if event.type == "m.sticker" else str(content.get("msgtype") or ""), "")
    media = "voice" if "org.matrix.msc3245.voice" in content else media
    name = str(room.get("room_name") or "")
    return Message(
        platform="matrix",
        conversation_id=event.room_id or name,
        conversation_type=chat_type,
        conversation_name=name,
        message_id=str(relation.get("event_id") or event.event_id) if edited else event.event_id,
        sender_id=event.sender,
        sender_name=names.get(event.sender) or event.sender.removeprefix("@").partition(":")[0],
        sender_handle=event.sender,
        is_bot=content.get("msgtype") == "m.notice",
        timestamp=at,
        edited_at=at if edited else None,
        kind=_kind(event, content),
        text=("" if media and not _captioned(content) else body[fallback.end() :] if fallback else body),
        reply_to_id=parent,
        thread_id=str(relation.get("event_id") or "") if relation.get("rel_type") == "m.thread" else "",
        quoted_text=_QUOTED.sub("", fallback[0]).strip() if fallback else "",
        attachments=(f"sticker {body}".strip() if media == "sticker" else media,) if media else (),
    )


def _captioned(content: dict[str, Any]) -> bool:
    """Return whether the body of a file is a caption; else it is the file's name."""
    return bool(content.get("filename")) and content.get("filename") != content.get("body")


def _kind(event: _Event, content: dict[str, Any]) -> MessageKind:
    if event.type in ("m.room.message", "m.sticker"):
        redacted = not content or "redacted_because" in (event.unsigned or {})
        return "unsupported" if redacted or content.get("msgtype") == "m.bad.encrypted" else "message"
    if event.type.startswith(_CALLS):
        return "call"
    return "unsupported" if event.type == "m.room.encrypted" else "service"


SOURCE = Source("Matrix / Element", claim_each(_recognises), _read, experimental=True)
