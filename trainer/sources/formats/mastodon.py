"""Mastodon's archive: outbox.json, in a tar.gz, a zip or a folder.

Learned from Mastodon's backup_service.rb and its ActivityPub serializers: `orderedItems` are Creates
and Announces, unordered; content is HTML, with a content warning in `summary`. Who may see a post, `to` and `cc` tell: what
was for followers or for those mentioned alone counts as private. The account's name stands in actor.json.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.html_text import html_text
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.repair import mend_json
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each, companions

_PUBLIC = {"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"}
_OUTBOX = re.compile(rb'"orderedItems"\s*:\s*\[\s*\{')
_LEADING = re.compile(r"(?:@[\w.\-]+(?:@[\w.\-]+)?\s+)+")
_MEDIA = {"image": "photo", "video": "video", "audio": "audio"}


class _Tag(msgspec.Struct, gc=False):
    type: str = ""
    href: str | None = None
    name: str | None = None


class _Attachment(msgspec.Struct, gc=False):
    mediaType: str | None = None  # noqa: N815 (ActivityPub's own spelling, here and below)


class _Note(msgspec.Struct, gc=False):
    id: str = ""
    type: str = ""
    summary: str | None = None
    inReplyTo: str | None = None  # noqa: N815
    published: str = ""
    content: str | None = None
    conversation: str | None = None
    attachment: list[_Attachment] = []
    tag: list[_Tag] = []


class _Activity(msgspec.Struct, gc=False):
    id: str = ""
    type: str = ""
    actor: str = ""
    published: str = ""
    to: str | list[str] = []
    cc: str | list[str] = []
    object: str | _Note | None = None


# What a server writes for others that show no quoted posts: `RE: ` and the address.
_QUOTED = re.compile(r"<(p|span)\b[^<>]*\bclass=\"[^\"]*\bquote-inline\b[^\"]*\"[^<>]*>.*?</\1>", re.DOTALL)


def _recognises(start: bytes) -> bool:
    return b"OrderedCollection" in start and bool(_OUTBOX.search(start)) and b"activitystreams" in start


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        actor = _actor(tree, name.rpartition("/")[0])
        for item in JsonRecords(partial(tree.open, name), name, "orderedItems", _Activity):
            if isinstance(item, Reject):
                yield item
            elif not isinstance(item, Opening):
                yield _message(item, actor)


def _actor(tree: Tree, folder: str) -> Mapping[str, Any]:
    name = f"{folder}/actor.json".lstrip("/")
    if name not in tree.names():
        return {}
    try:
        decoded = msgspec.json.decode(mend_json(tree.head(name)))
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _message(activity: _Activity, actor: Mapping[str, Any]) -> Message:
    note = activity.object if isinstance(activity.object, _Note) else None
    handle = str(actor.get("preferredUsername") or activity.actor.rpartition("/")[2] or "me")
    public = bool(_PUBLIC & {*_listed(activity.to), *_listed(activity.cc)})
    parts = (note.summary or "", _QUOTED.sub("", note.content or "")) if note else ()
    text = "\n".join(filter(None, map(html_text, parts)))
    answers = note.inReplyTo or "" if note else ""
    return Message(
        platform="mastodon",
        conversation_id="timeline" if public else (note and note.conversation) or answers or activity.id,
        conversation_type="feed" if public else "dm",
        message_id=(note and note.id) or activity.id,
        sender_id=activity.actor or handle,
        sender_name=str(actor.get("name") or "") or handle,
        sender_handle=handle,
        is_self=True,
        timestamp=iso_timestamp((note and note.published) or activity.published),
        kind="message" if note or activity.type == "Announce" else "unsupported",
        text=_LEADING.sub("", text, count=1) if answers else text,
        reply_to_id=answers,
        forwarded_from="" if note else "somebody",
        mentions=tuple((tag.href or "", tag.name or "") for tag in note.tag if tag.type == "Mention") if note else (),
        attachments=tuple(_medium(attachment) for attachment in note.attachment) if note else (),
    )


def _listed(audience: str | Sequence[str]) -> Sequence[str]:
    return [audience] if isinstance(audience, str) else audience


def _medium(attachment: _Attachment) -> str:
    return _MEDIA.get((attachment.mediaType or "").partition("/")[0], "file")


SOURCE = Source(
    "Mastodon",
    claim_each(_recognises),
    _read,
    is_companion=companions(r"(?:^|/)(?:actor|likes|bookmarks)\.json$|(?:^|/)media_attachments/"),
)
