"""Instagram's direct messages as "Download your data" gave them until 2020: one `messages.json` of all chats.

Learned from michabirklbauer/instagram_json_viewer and furkantarikgocmen/IG-DM-PARSER. A list of chats: `participants` (user
names), `conversation`, newest first: `sender`, `created_at`, and `text`, `media`, `media_share_url` with somebody else's
caption, `story_share` (the app's words, beside which a text may stand), `voice_media`, `heart`, `likes`,
`video_call_action`, `action`, `link`. Strings are proper UTF-8. There are no ids; people are user names.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, MessageKind
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

_KEYS = (b'"participants"', b'"conversation"', b'"created_at"', b'"sender"')
_LIKE = "❤"  # the one reaction there was


class _Like(msgspec.Struct):
    username: str = ""


class _Row(msgspec.Struct):
    sender: str = ""
    created_at: str = ""
    text: str | None = None
    heart: str | None = None
    media: str | None = None
    media_url: str | None = None
    media_share_url: str | None = None
    media_owner: str | None = None
    voice_media: Any = None
    animated_media_images: Any = None
    story_share: str | None = None
    profile_share_username: str | None = None
    link: str | None = None
    action: str | None = None
    video_call_action: str | None = None
    likes: list[_Like] | None = None


def _recognises(start: bytes) -> bool:
    return all(key in start for key in _KEYS)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        people: list[str] = []
        ids = DerivedIds(name)
        chats = _participants(tree, name)
        for item in JsonRecords(partial(tree.open, name), name, "conversation", _Row):
            if isinstance(item, Opening):
                people = next(chats, [])
                ids = DerivedIds(_key(people))
            else:
                yield _message(item, people, ids) if isinstance(item, _Row) else item


def _participants(tree: Tree, name: str) -> Iterator[list[str]]:
    """Yield who is in each chat. Their lists stand before the messages."""
    people: list[str] | None = None
    for item in JsonRecords(partial(tree.open, name), name, "participants", str):
        if isinstance(item, Opening):
            if people is not None:
                yield people
            people = []
        elif isinstance(item, str) and people is not None:
            people.append(item)
    yield people or []


def _key(people: Sequence[str]) -> str:
    return " + ".join(sorted(people)[:32])


def _message(row: _Row, people: Sequence[str], ids: DerivedIds) -> Message:
    at = iso_timestamp(row.created_at)
    kind, text, media = _content(row)
    return Message(
        platform="instagram",
        conversation_id=_key(people),
        conversation_type="group" if len(people) > 2 else "dm",
        conversation_name=" + ".join(people),
        message_id=ids.next(at, row.sender, "\n".join((text, *media))),
        sender_id=row.sender,
        sender_name=row.sender,
        timestamp=at,
        kind=kind,
        text=text,
        attachments=media,
        reactions=tuple((_LIKE, like.username) for like in row.likes or () if like.username),
    )


def _content(row: _Row) -> tuple[MessageKind, str, tuple[str, ...]]:
    """Kind, words and media of a message. A shared post's caption is not the sender's."""
    if row.video_call_action:
        return "call", row.video_call_action, ()
    text = row.text or row.heart or ""
    media = [
        medium
        for value, medium in (
            (row.media or row.media_url, "photo"),
            (row.media_share_url or row.media_owner, "link"),
            (row.voice_media, "voice"),
            (row.animated_media_images, "gif"),
            (row.profile_share_username, "contact"),
        )
        if value
    ]
    if row.link and row.link not in text:
        text = f"{text}\n{row.link}".strip()
    if row.action and not (text or media):
        return "service", row.action, ()
    if row.story_share and not (text or media):
        media = ["link"]
    return "message" if text or media else "unsupported", text, tuple(media)


SOURCE = Source("Instagram until 2020", claim_each(_recognises), _read, experimental=True)
