"""Who is who over all exports: names and ids joined to persons, persons to speaker keys."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from persona.names import SOMEONE, normalise
from persona.threads import named_in
from persona.transcript import UNKNOWN
from trainer.sources.message import Message

_AT = re.compile(r"(?<![\w.@])@([A-Za-z0-9_]{2,32}(?:@[A-Za-z0-9.\-]{3,60})?)(?![\w@])")
_HANDLED = {"x", "telegram"}  # where everybody has a handle, in chats too
_EVERYBODY = {"everyone", "here", "all", "channel", "admin", "admins"}
_NICKS = {"irc"}  # where a name is one word, told from others, and the only mention there is
_ME = {"", "ME", "YOU"}  # what exports call the account they are of, where they don't know its name


@dataclass(slots=True)
class Identity:
    """Somebody as one platform knows them. key: `platform:id`, or `platform:=NAME` where the export has no ids. is_self:
    the account that made the export, where the export gives it no name."""

    key: str
    names: Counter[str] = field(default_factory=Counter)
    handle: str = ""
    is_self: bool = False

    @property
    def platform(self) -> str:
        """Where they are known."""
        return self.key.partition(":")[0]

    @property
    def has_id(self) -> bool:
        """Whether the platform's own id tells them from others of their name."""
        return not self.key.partition(":")[2].startswith("=")

    @property
    def name(self) -> str:
        """The display name seen most often."""
        return self.names.most_common(1)[0][0] if self.names else self.handle or self.key.partition(":")[2].lstrip("=")

    @property
    def aliases(self) -> list[str]:
        """Every name, handle and id of theirs that [people] may use."""
        number = self.key.partition(":")[2]
        return [
            call for call in (number.lstrip("="), number.removeprefix("user"), self.handle, *self.names) if call.strip()
        ]


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A speaker. key: as transcripts write them. name: as a reader sees them. pseudonymous: the name is a stand-in.
    dropped: nothing of theirs is kept."""

    key: str
    name: str
    consent: bool = False
    persona: bool = False
    pseudonymous: bool = False
    dropped: bool = False


ERASED = KnownPerson(SOMEONE, UNKNOWN, pseudonymous=True, dropped=True)


def identity_key(platform: str, sender_id: str, sender_name: str) -> str:
    """How an identity is known for good."""
    return (
        f"{platform}:{sender_id}"
        if sender_id and platform != "text"
        else f"{platform}:={normalise(sender_name) or SOMEONE}"
    )


def register_sender(identities: dict[str, Identity], message: Message) -> str:
    """Note who sent a message and whom it mentions; returns the sender's identity key."""
    for number, name in message.mentions:
        register_mentioned(identities, message.platform, number, name)
    if "@" in message.text and (message.conversation_type == "feed" or message.platform in _HANDLED):
        for handle in _AT.findall(message.text):
            register_mentioned(identities, message.platform, "", handle)
    key = identity_key(message.platform, message.sender_id, message.sender_name)
    if (known := identities.get(key)) is None:
        known = identities[key] = Identity(key)
    if message.sender_name:
        known.names[message.sender_name] += 1
    if message.sender_handle:
        known.handle = message.sender_handle
    if message.is_self and normalise(message.sender_name) in _ME:
        known.is_self = True
    return known.key


def register_mentioned(identities: dict[str, Identity], platform: str, number: str, name: str) -> str:
    """Note somebody whom a message mentions or quotes; returns their identity key, empty if it names nobody."""
    name = name.strip().removeprefix("@")
    if not (name or number) or name.casefold() in _EVERYBODY:
        return ""
    key = identity_key(platform, number, name)
    known = identities.setdefault(key, Identity(key))
    known.handle = name or known.handle
    return known.key


def named_people(identities: Mapping[str, Identity], message: Message) -> list[str]:
    """Return the identity keys of those whom a message addresses by name, of those known so far, on a platform without ids."""
    if message.sender_id or message.conversation_type != "group":
        return []

    def key_of(name: str) -> str | None:
        key = f"{message.platform}:={name}"
        return key if key in identities else None

    return named_in(message.text, key_of, anywhere=message.platform in _NICKS)
