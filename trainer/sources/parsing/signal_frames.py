"""Frames of Signal's backup, as far as they are read: protos/Backups.proto in JSON.

64-bit numbers are strings there, bytes base64; fields that are not listed are skipped.
"""

from typing import Any

import msgspec


class Struct(msgspec.Struct, rename="camel"):
    """A message of the protocol: fields that are not read are left out."""


class Name(Struct):
    given: str = ""
    family: str = ""


class Contact(Struct):
    aci: str = ""
    e164: str = ""
    username: str = ""
    profile_given_name: str = ""
    profile_family_name: str = ""
    system_given_name: str = ""
    system_family_name: str = ""
    nickname: Name | None = None


class Title(Struct):
    title: str = ""


class Snapshot(Struct):
    title: Title | None = None


class Group(Struct):
    master_key: str = ""
    snapshot: Snapshot | None = None


class Recipient(Struct):
    id: str = ""
    contact: Contact | None = None
    group: Group | None = None
    self: dict[str, Any] | None = None
    release_notes: dict[str, Any] | None = None


class ChatFrame(Struct):
    id: str = ""
    recipient_id: str = ""


class Account(Struct):
    given_name: str = ""
    family_name: str = ""


class Range(Struct):
    start: int = 0
    length: int = 0
    mention_aci: str = ""


class Text(Struct):
    body: str = ""
    body_ranges: list[Range] = msgspec.field(default_factory=list)


class Pointer(Struct):
    content_type: str = ""
    file_name: str = ""


class Attachment(Struct):
    pointer: Pointer | None = None
    flag: str = ""
    content_type: str = ""
    file_name: str = ""


class QuotedFrame(Struct):
    target_sent_timestamp: str = ""
    author_id: str = ""
    text: Text | None = None
    attachments: list[Attachment] = msgspec.field(default_factory=list)


class Reaction(Struct):
    emoji: str = ""
    author_id: str = ""


class Sticker(Struct):
    emoji: str = ""


class Option(Struct):
    option: str = ""


class TextReply(Struct):
    text: Text | None = None


class SignalContent(Struct):
    """Any of a chat item's kinds of content; each has some of these fields."""

    text: Text | None = None
    quote: QuotedFrame | None = None
    attachments: list[Attachment] = msgspec.field(default_factory=list)
    attachment: Attachment | None = None
    reactions: list[Reaction] = msgspec.field(default_factory=list)
    sticker: Sticker | None = None
    question: str = ""
    options: list[Option] = msgspec.field(default_factory=list)
    text_reply: TextReply | None = None
    emoji: str = ""
    individual_call: dict[str, Any] | None = None
    group_call: dict[str, Any] | None = None


class Item(Struct):
    chat_id: str = ""
    author_id: str = ""
    date_sent: str = ""
    revisions: list[dict[str, Any]] = msgspec.field(default_factory=list)
    standard_message: SignalContent | None = None
    contact_message: SignalContent | None = None
    sticker_message: SignalContent | None = None
    view_once_message: SignalContent | None = None
    direct_story_reply_message: SignalContent | None = None
    poll: SignalContent | None = None
    remote_deleted_message: dict[str, Any] | None = None
    update_message: SignalContent | None = None
    payment_notification: dict[str, Any] | None = None
    gift_badge: dict[str, Any] | None = None


class BackupFrame(Struct):
    account: Account | None = None
    recipient: Recipient | None = None
    chat: ChatFrame | None = None
    chat_item: Item | None = None
