"""Cleaned messages as rows of the corpus: who sent them, whom they name, and ids that tell nothing."""

import hashlib
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from sys import intern

from msgspec import structs

from persona.config import Settings
from trainer.corpus.row import UNKNOWN_PARENT, QuotedLines, Row, message_key
from trainer.ingest.cleaning import NOBODY, Kept, is_private
from trainer.people.identities import Identity, named_people, register_mentioned, register_sender
from trainer.sources.message import Message
from trainer.sources.parsing.roles import role_named
from trainer.sources.parsing.spoken import ROLES

_Key = str | tuple[str, ...]  # of a message, in its channel
_PLAIN_ID = re.compile(r"[\d.:_\-]*|timeline|(?:https?|at)://\S+")


def in_voice(message: Message, settings: Settings) -> Message:
    """Return the message as these settings see it: private or not, and the role of the persona as the persona."""
    if message.is_group_dm and is_private(message, settings.data):
        message = structs.replace(message, conversation_type="dm")
    if message.platform != ROLES or message.sender_id != role_named(settings.data.persona_role):
        return message
    return structs.replace(message, sender_id="", sender_name=settings.persona.name)


def row_of(message: Message, sender: str, source: str, kept: Kept, identities: dict[str, Identity]) -> Row:
    """Return the row of a message that is kept. sender: its identity key. source: as the import's table shows it. identities:
    added to."""
    mentions: Iterable[str] = ()
    if kept.mentions:
        mentions = [register_mentioned(identities, message.platform, number, name) for number, name in kept.mentions]
    if not message.sender_id:
        mentions = [*mentions, *(key for key in named_people(identities, message) if key != sender)]
    author = register_mentioned(identities, message.platform, "", kept.author) if kept.author else ""
    number, answered, at = message.message_id, message.reply_to_id, message.timestamp
    row = Row(  # by place: to hand over so many by name takes half as long again
        message.platform,
        source,
        _opaque_channel(message.conversation_id),
        message.conversation_type,
        number if number.isdigit() else _opaque(number),
        sender,
        at if at and at > 0 else None,  # exports write 0 for unknown
        kept.lines,
        (answered if answered.isdigit() else _opaque(answered))
        if answered
        else UNKNOWN_PARENT
        if message.reply_to_name or kept.answers
        else "",
        message.thread_id and _opaque_channel(message.thread_id),
        QuotedLines(kept.quoted, author) if kept.quoted else None,
        tuple(dict.fromkeys(filter(None, mentions))) if mentions else (),
    )
    if not (message.reactions or kept.forwarded_from):
        return row
    return structs.replace(
        row,
        reactions=message.reactions,
        forwarded_from=_first_author(message, kept, identities),
    )


class PlainRows:
    """Makes rows of messages that are nothing but a text by somebody with an id. identities: added to."""

    def __init__(self, source: str, identities: dict[str, Identity]) -> None:
        self._source = source
        self._identities = identities
        self._senders: dict[tuple[str, str, bool], Identity] = {}  # by id, name and is_self: most have been met before

    def row_of(self, message: Message) -> Row:
        """Return the row of a message."""
        number, answered, at = message.message_id, message.reply_to_id, message.timestamp
        return Row(
            message.platform,
            self._source,
            _opaque_channel(message.conversation_id),
            message.conversation_type,
            number if number.isdigit() else _opaque(number),
            self._sender(message),
            at if at and at > 0 else None,
            (message.text.strip(),),
            (answered if answered.isdigit() else _opaque(answered))
            if answered
            else UNKNOWN_PARENT
            if message.reply_to_name
            else "",
            message.thread_id and _opaque_channel(message.thread_id),
        )

    def _sender(self, message: Message) -> str:
        """Return the identity key of who sent a message."""
        name = message.sender_name
        who = message.sender_id, name, message.is_self
        known = self._senders.get(who)
        if known is None:
            key = register_sender(self._identities, message)
            self._senders[who] = self._identities[key]
            return key
        if name:
            known.names[name] += 1
        if message.sender_handle:
            known.handle = message.sender_handle
        return known.key


def _first_author(message: Message, kept: Kept, identities: dict[str, Identity]) -> str:
    """The identity key of who said first what is passed on; "?" if unknown, "" if it is the sender's own."""
    if kept.forwarded_from in ("", NOBODY):
        return kept.forwarded_from
    return register_mentioned(identities, message.platform, "", kept.forwarded_from) or NOBODY


def with_reactors(row: Row, identities: dict[str, Identity]) -> Row:
    """The row with identity keys in place of what the export calls those who reacted. Once everybody was read: somebody may
    react before they speak."""
    reactions = [(emoji, _reactor(identities, row.platform, *author)) for emoji, *author in row.reactions]
    return structs.replace(row, reactions=tuple((emoji, key) for emoji, key in reactions if emoji and key))


def _reactor(identities: dict[str, Identity], platform: str, who: str, name: str | None = None) -> str:
    """Return the identity key of who reacted. who: an id, where a name is given too; else either."""
    key = f"{platform}:{who}"
    if who and key in identities:
        return key
    return register_mentioned(identities, platform, *(("", who) if name is None else (who, name)))


def _opaque(number: str) -> str:
    """Return an id as the corpus holds it: where an export has none, readers make one of names and file names, which are
    not to be written; addresses of public posts stay, since their parents are looked for under them."""
    if number.isdigit() or _PLAIN_ID.fullmatch(number):
        return number
    return hashlib.blake2b(number.encode(), digest_size=10).hexdigest()


@lru_cache(1 << 12)
def _opaque_channel(number: str) -> str:
    """Return the same for what many messages share: one string for all of them."""
    return intern(_opaque(number))


class GatheredRows:
    """The messages that were read, each once. known: keys of those that earlier imports kept."""

    def __init__(self, known: Collection[tuple[str, ...]]) -> None:
        self.rows: list[Row] = []
        self._known = known
        self._channels: dict[tuple[str, str], dict[_Key, Row]] = {}  # by channel: in each key it takes much memory
        self._platform, self._channel = "", ""  # of the last message, and those there
        self._here: dict[_Key, Row] = {}
        self._places: dict[int, int] | None = None  # by identity, once a message came again: few exports have any

    def add(self, row: Row) -> str:
        """Take a message; returns why it is none more, "" if it is one."""
        if self._known and message_key(row) in self._known:
            return "already there"
        if row.channel != self._channel or row.platform != self._platform:
            self._platform, self._channel = row.platform, row.channel
            self._here = self._channels.setdefault((row.platform, row.channel), {})
        key = row.message_id if row.platform != "text" else message_key(row)
        earlier = self._here.setdefault(key, row)
        if earlier is not row:  # the same message twice in what is read now: the later version counts
            self._replace(key, earlier, max(earlier, row, key=lambda version: version.at or 0.0))
            return "already there" if earlier.lines == row.lines else "older version"
        if self._places is not None:
            self._places[id(row)] = len(self.rows)
        self.rows.append(row)
        return ""

    def _replace(self, key: _Key, earlier: Row, later: Row) -> None:
        if self._places is None:
            self._places = {id(row): place for place, row in enumerate(self.rows)}
        place = self._places.pop(id(earlier))
        self._places[id(later)] = place
        self.rows[place] = self._here[key] = later
