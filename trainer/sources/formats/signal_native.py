"""Signal's own export as plain text: `main.jsonl`, a frame of its backup a line.

`metadata.json` lies beside it.

Learned from signalapp/Signal-Desktop (protos/Backups.proto), in proto3's JSON mapping: numbers of 64 bits are strings, bytes
base64. First the account, then recipients and chats before what refers to them, then messages in the order of the chats.
The account itself is `Me` if it has no name. Long texts that stand in files of their own are cut at 2 KB.
"""

from collections.abc import Iterator, Sequence

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.json_lines import array_or_lines
from trainer.sources.parsing.signal_frames import BackupFrame, Contact, Item, Name, Pointer, Recipient, SignalContent
from trainer.sources.source import Reading, Source

ME = "Me"
_OBJECT = "\ufffc"  # stands for a mention in a text
_FLAGS = {"VOICE_MESSAGE": "voice", "GIF": "gif", "BORDERLESS": "sticker"}


class _Person(msgspec.Struct, frozen=True):
    """A recipient. key: what any export knows it by; empty for the account."""

    key: str
    name: str
    type: ConversationType
    is_self: bool = False


_SOMEONE = _Person("", "", "dm")


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each main.jsonl, with the metadata beside it."""
    listed = set(names)
    return [
        (name, *(other for other in (f"{name.rpartition('main.jsonl')[0]}metadata.json",) if other in listed))
        for name in names
        if _recognises(tree.head(name))
    ]


def _recognises(start: bytes) -> bool:
    return (
        start.lstrip(b"\xef\xbb\xbf \r\n")[:1] == b"{"
        and b'"backupTimeMs"' in start[:4096]
        and (b'"recipient"' in start or b'"account"' in start)
    )


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    backup = _Backup()
    for row in array_or_lines(tree, members[0], BackupFrame):
        if not isinstance(row, tuple):
            yield row
        else:
            yield from backup.take(row[1])


class _Backup:
    """What the frames so far say of people and chats."""

    def __init__(self) -> None:
        self._me = ME
        self._people: dict[str, _Person] = {}
        self._by_aci: dict[str, str] = {}
        self._chats: dict[str, str] = {}  # chat to recipient

    def take(self, frame: BackupFrame) -> Iterator[Message]:
        """Take a frame; yields its message, if it is one."""
        if frame.account:
            self._me = " ".join(filter(None, (frame.account.given_name, frame.account.family_name))) or ME
        elif frame.recipient:
            self._add(frame.recipient)
        elif frame.chat:
            self._chats[frame.chat.id] = frame.chat.recipient_id
        elif frame.chat_item:
            yield self._message(frame.chat_item)

    def _add(self, recipient: Recipient) -> None:
        if recipient.self is not None:
            person = _Person("", self._me, "dm", is_self=True)
        elif recipient.group:
            snapshot = recipient.group.snapshot
            title = snapshot.title.title if snapshot and snapshot.title else ""
            person = _Person(recipient.group.master_key or title, title, "group")
        elif recipient.contact:
            contact = recipient.contact
            person = _Person(contact.aci or contact.e164 or _name(contact), _name(contact), "dm")
            self._by_aci[contact.aci] = person.name
        else:
            person = _Person(recipient.id, "Signal" if recipient.release_notes is not None else "", "channel")
        self._people[recipient.id] = person

    def _message(self, item: Item) -> Message:
        chat = self._people.get(self._chats.get(item.chat_id, ""), _SOMEONE)
        author = self._people.get(item.author_id, _SOMEONE)
        kind, content = _sorted(item)
        text, attachments = _said(item, content)
        quote = content.quote if content else None
        at = int(item.date_sent) / 1000 if item.date_sent.isdecimal() else None
        parent = quote.target_sent_timestamp if quote and quote.target_sent_timestamp.isdecimal() else ""
        quoted = self._people.get(quote.author_id, _SOMEONE) if quote else _SOMEONE
        return Message(
            platform="signal",
            conversation_id=chat.key or chat.name or item.chat_id,
            conversation_type=chat.type,
            conversation_name=chat.name,
            message_id=f"{author.key}:{item.date_sent}",
            sender_id=author.key,
            sender_name=author.name,
            is_self=author.is_self,
            timestamp=at,
            edited_at=at if item.revisions else None,
            kind=kind,
            text=self._mentioned(text, content),
            reply_to_id=f"{quoted.key}:{parent}" if parent and int(parent) else "",
            reply_to_name=quoted.name if quote and not parent else "",
            quoted_text=quote.text.body if quote and quote.text and not parent else "",
            attachments=attachments,
            reactions=tuple(self._reactions(content)) if content else (),
        )

    def _reactions(self, content: SignalContent) -> Iterator[tuple[str, str, str]]:
        """Yield who reacted with what."""
        for reaction in content.reactions:
            author = self._people.get(reaction.author_id, _SOMEONE)
            yield reaction.emoji, author.key, author.name

    def _mentioned(self, text: str, content: SignalContent | None) -> str:
        """Return a text with the names of whom it mentions; their places come in order."""
        ranges = content.text.body_ranges if content and content.text else []
        for mention in sorted(
            (mention for mention in ranges if mention.mention_aci), key=lambda mention: mention.start
        ):
            text = text.replace(_OBJECT, f"@{self._by_aci.get(mention.mention_aci, '')}", 1)
        return text


def _name(contact: Contact) -> str:
    """Return a contact's name as Signal shows it.

    A nickname, the address book's, the profile's, a handle, the number.
    """
    nickname = contact.nickname or Name()
    for given, family in (
        (nickname.given, nickname.family),
        (contact.system_given_name, contact.system_family_name),
        (contact.profile_given_name, contact.profile_family_name),
    ):
        if given or family:
            return f"{given} {family}".strip()
    return contact.username or (f"+{contact.e164.lstrip('+')}" if contact.e164 else "")


def _sorted(item: Item) -> tuple[MessageKind, SignalContent | None]:
    """Return the kind of a chat item and what it says."""
    if item.update_message:
        is_call = item.update_message.individual_call is not None or item.update_message.group_call is not None
        return "call" if is_call else "service", None
    if item.remote_deleted_message is not None:
        return "deleted", None
    if item.payment_notification is not None or item.gift_badge is not None:
        return "service", None
    content = (
        item.standard_message
        or item.contact_message
        or item.sticker_message
        or item.view_once_message
        or item.direct_story_reply_message
        or item.poll
    )
    return ("message", content) if content else ("unsupported", None)


def _said(item: Item, content: SignalContent | None) -> tuple[str, tuple[str, ...]]:
    """Return words and media."""
    if content is None:
        return "", ()
    if item.contact_message:
        return "", ("contact",)
    if item.poll:
        return "\n".join((content.question, *(option.option for option in content.options))), ("poll",)
    if content.sticker:
        return "", (f"sticker {content.sticker.emoji}".strip(),)
    if content.text_reply:
        return content.text_reply.text.body if content.text_reply.text else "", ()
    files = [*content.attachments, *filter(None, (content.attachment,))]
    media = tuple(_FLAGS.get(file.flag) or _medium_of(file.pointer or Pointer()) for file in files)
    if item.view_once_message and not media:
        media = ("photo",)
    return (content.text.body if content.text else content.emoji), media


def _medium_of(pointer: Pointer) -> str:
    return medium_of(pointer.content_type or pointer.file_name)


SOURCE = Source("Signal export", _claim, _read)
