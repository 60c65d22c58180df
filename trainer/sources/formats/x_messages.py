"""Private messages of an X (Twitter) archive: direct-messages.js, direct-messages-group.js and their parts.

Learned from X's own archives as twitter-archive-parser reads them (no real file was seen): `dmConversation.messages[]`,
newest first, where a messageCreate stands beside reactions, joins, departures and new names. Whoever writes is a bare number:
the names of others come from their mentions in the tweets.
"""

import html
from collections.abc import Sequence
from functools import partial

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.x_files import data_type_of, folder, in_order, is_companion, owner
from trainer.sources.parsing.x_tweet import Owner, seconds
from trainer.sources.source import Reading, Source

_ALONE = ("direct_message", "direct_messages")
_GROUP = ("direct_message_group", "direct_messages_group")


class _Url(msgspec.Struct, gc=False):
    url: str = ""
    expanded: str = ""


class _Reaction(msgspec.Struct, gc=False):
    senderId: str = ""  # noqa: N815 (X's own spelling)
    reactionKey: str = ""  # noqa: N815


class _Create(msgspec.Struct, gc=False):
    id: str
    senderId: str = ""  # noqa: N815 (X's own spelling)
    createdAt: str = ""  # noqa: N815
    text: str = ""
    urls: list[_Url] = []
    mediaUrls: list[str] = []  # noqa: N815
    reactions: list[_Reaction] = []


class _Event(msgspec.Struct, gc=False):
    """A messageCreate, or one of a dozen others."""

    messageCreate: _Create | None = None  # noqa: N815


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """One group for each folder with messages in it."""
    mine = [name for name in names if data_type_of(tree.head(name)) in (*_ALONE, *_GROUP)]
    return [
        tuple(name for name in in_order(mine) if folder(name) == root)
        for root in sorted({folder(name) for name in mine})
    ]


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    beside = [name for name in tree.names() if folder(name) == folder(members[0]) and name.endswith(".js")]
    whose = owner(tree, beside)
    for name in members:
        chat_type: ConversationType = "group" if data_type_of(tree.head(name)) in _GROUP else "dm"
        talk, number = "", 0
        for item in JsonRecords(partial(tree.open, name), name, "messages", _Event):
            match item:
                case Opening():
                    talk, number = str(item.fields.get("conversationId", "")), 0
                case _Event(messageCreate=_Create() as create):
                    yield _message(create, talk, chat_type, whose)
                case _Event():
                    number += 1
                    yield Message(
                        platform="x",
                        conversation_id=talk,
                        conversation_type=chat_type,
                        message_id=f"{talk}:{number}",
                        sender_id="",
                        sender_name="",
                        text="",
                        kind="service",
                    )
                case _:
                    yield item


def _message(create: _Create, talk: str, chat_type: ConversationType, whose: Owner) -> Message:
    own = create.senderId == whose.accountId
    return Message(
        platform="x",
        conversation_id=talk,
        conversation_type=chat_type,
        message_id=create.id,
        sender_id=create.senderId,
        sender_name=whose.accountDisplayName if own else "",
        sender_handle=whose.username if own else "",
        is_self=own,
        timestamp=seconds(create.createdAt),
        text=_expanded(create),
        attachments=tuple("photo" for _ in create.mediaUrls),
        reactions=tuple((f":{reaction.reactionKey}:", reaction.senderId) for reaction in create.reactions),
    )


def _expanded(create: _Create) -> str:
    """Entities undone and links whole; the link to a picture of its own left out."""
    text = create.text
    for link in create.urls:
        picture = create.mediaUrls and "/messages/media/" in link.expanded
        text = text.replace(link.url, "" if picture else link.expanded or link.url) if link.url else text
    return html.unescape(text).strip()


SOURCE = Source("X messages", _claim, _read, experimental=True, is_companion=is_companion)
