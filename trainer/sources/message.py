"""One message of any export, before anything is made of it: what readers yield."""

from typing import Literal, get_args

import msgspec

ConversationType = Literal["dm", "group", "channel", "feed"]
MessageKind = Literal["message", "service", "call", "deleted", "unsupported"]
CONVERSATION_TYPES: frozenset[str] = frozenset(get_args(ConversationType))
KINDS: frozenset[str] = frozenset(get_args(MessageKind))


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody sent, as the export has it; empty if the export is silent.

    timestamp, edited_at: UTC seconds. text: entities undone and links whole, but nothing cleaned.
    mentions: (id, name) pairs. attachments: kinds such as photo, voice, `sticker 😀`.
    reactions: (emoji, author) pairs, the author by name; or (emoji, author's id, name), the name empty if unknown.
    forwarded_from: whose words these are, if not the sender's.
    is_group_dm: a group outside any server or channel list, which [data] group_dms makes private or not.
    is_self: the sender is the account that made the export. quoted_text: what is answered, if the export repeats it.
    """

    platform: str
    conversation_id: str
    conversation_type: ConversationType
    message_id: str
    sender_id: str
    sender_name: str
    text: str
    conversation_name: str = ""
    sender_handle: str = ""
    is_self: bool = False
    is_bot: bool = False
    is_group_dm: bool = False
    timestamp: float | None = None
    edited_at: float | None = None
    kind: MessageKind = "message"
    reply_to_id: str = ""
    reply_to_name: str = ""
    thread_id: str = ""
    quoted_text: str = ""
    forwarded_from: str = ""
    mentions: tuple[tuple[str, str], ...] = ()
    attachments: tuple[str, ...] = ()
    reactions: tuple[tuple[str, ...], ...] = ()


class Reject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What could not be read: where it stands and why. raw: the text as found."""

    file: str
    offset: int
    reason: str
    raw: str = ""
