"""Who is who over all exports: names and ids joined to persons, persons to speaker keys."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from persona.config import Settings
from persona.names import SOMEONE, normalise, unique_key
from persona.pii.scrub import scrub
from persona.transcript import UNKNOWN
from trainer.people.pseudonyms import Pseudonyms
from trainer.sources.message import Message

_AT = re.compile(r"(?<![\w.@])@([A-Za-z0-9_]{2,32}(?:@[A-Za-z0-9.\-]{3,60})?)(?![\w@])")
_HANDLED = {"x", "telegram"}  # where everybody has a handle, in chats too
_EVERYBODY = {"everyone", "here", "all", "channel", "admin", "admins"}
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


_WRITTEN = ("text:", "roles:")  # platforms of files that may be exports of our own
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
    known = identities.setdefault(key, Identity(key))
    if message.sender_name:
        known.names[message.sender_name] += 1
    known.handle = message.sender_handle or known.handle
    known.is_self = known.is_self or (message.is_self and normalise(message.sender_name) in _ME)
    return known.key


def register_mentioned(identities: dict[str, Identity], platform: str, number: str, name: str) -> str:
    """Note somebody whom a message mentions or quotes; returns their identity key, empty where nobody is meant."""
    name = name.strip().removeprefix("@")
    if not (name or number) or name.casefold() in _EVERYBODY:
        return ""
    key = identity_key(platform, number, name)
    known = identities.setdefault(key, Identity(key))
    known.handle = name or known.handle
    return known.key


def resolve(
    settings: Settings,
    identities: Mapping[str, Identity],
    pseudonyms: dict[str, str],
    erased: Collection[str] = (),
) -> dict[str, KnownPerson]:
    """The person behind each identity key. pseudonyms: identity key -> stand-in; kept, and added to. erased: identity
    keys of people who asked to be forgotten."""
    configured = _ConfiguredPeople(settings)
    people: dict[str, KnownPerson] = {}
    strangers: list[Identity] = []
    for identity in identities.values():
        if identity.key in erased:
            people[identity.key] = ERASED
        elif person := configured.person(identity):
            people[identity.key] = person
        else:
            strangers.append(identity)
    taken = {person.key for person in people.values()} | {
        settings.persona.key,
        *map(normalise, settings.persona.aliases),
        *settings.people,
    } - {""}
    free = Pseudonyms({*taken, *pseudonyms.values()})
    for group in _same_people(strangers):
        person = _stand_in(group, free, pseudonyms) if settings.data.pseudonyms else _as_named(group, taken)
        taken.add(person.key)
        people.update((identity.key, person) for identity in group)
    return people


class _ConfiguredPeople:
    """The people that persona.toml names, looked up by id, name or handle."""

    def __init__(self, settings: Settings) -> None:
        self._me = KnownPerson(settings.persona.key, settings.persona.name, consent=True, persona=True)
        self._by_name = {
            normalise(name.lstrip("@")): self._me for name in (settings.persona.name, *settings.persona.aliases)
        }
        self._by_id: dict[str, KnownPerson] = {}
        self._hidden: set[str] = set()
        dropped = {normalise(name) for name in settings.data.drop_speakers}
        for key, friend in settings.people.items():
            persona = key == settings.persona.key
            name = settings.persona.name if persona else (friend.names or (key,))[0]
            hidden = settings.data.pseudonyms and not (friend.consent or persona)
            person = KnownPerson(
                key,
                name,
                friend.consent or persona,
                persona,
                False,
                bool(dropped & {key, *map(normalise, friend.names)}),
            )
            if hidden and not person.dropped:
                self._hidden.update(normalise(alias.lstrip("@")) for alias in (key, *friend.names))
            else:
                self._by_name.update((normalise(alias.lstrip("@")), person) for alias in (key, *friend.names))
                self._by_id.update((key, person) for key in friend.export_keys())
        for name in dropped:
            self._by_name.setdefault(name, KnownPerson(name, name, dropped=True))

    def person(self, identity: Identity) -> KnownPerson | None:
        if identity.key in self._by_id:
            return self._by_id[identity.key]
        calls = list(map(normalise, identity.aliases))
        named = next((self._by_name[call] for call in calls if call in self._by_name), None)
        mine = identity.is_self and not self._hidden.intersection(calls)
        return named or (self._me if mine else None)


def _same_people(strangers: Sequence[Identity]) -> list[list[Identity]]:
    """Strangers as people, the most talkative first: one person on several platforms bears one name, but two ids of one
    platform are two people. A bare name belongs to the one id of its platform that bears it."""
    owners = _owners(strangers)
    joined: dict[str, list[Identity]] = {}
    alone: list[Identity] = []
    for identity in strangers:
        owner = None if identity.has_id else owners.get((identity.platform, normalise(identity.name)))
        if owner:
            joined.setdefault(owner.key, []).append(identity)
        else:
            alone.append(identity)
    by_name: dict[str, list[Identity]] = {}
    for identity in alone:
        by_name.setdefault(normalise(identity.name), []).append(identity)
    groups: list[list[Identity]] = []
    for alike in by_name.values():
        platforms = Counter(identity.platform for identity in alike)
        groups += [[identity] for identity in alike if platforms[identity.platform] > 1]
        groups += [rest] if (rest := [identity for identity in alike if platforms[identity.platform] == 1]) else []
    full = [[*group, *(more for identity in group for more in joined.get(identity.key, ()))] for group in groups]
    return sorted(full, key=lambda group: -sum(identity.names.total() for identity in group))


def _owners(strangers: Iterable[Identity]) -> dict[tuple[str, str], Identity]:
    """The identity with an id behind each name of a platform, where there is exactly one."""
    owners: dict[tuple[str, str], Identity] = {}
    several: set[tuple[str, str]] = set()
    for identity in strangers:
        for name in {normalise(call) for call in (identity.handle, *identity.names)} if identity.has_id else ():
            place = (identity.platform, name)
            if owners.setdefault(place, identity) is not identity:
                several.add(place)
    return {place: identity for place, identity in owners.items() if place not in several}


def _as_named(group: Sequence[Identity], taken: Collection[str]) -> KnownPerson:
    """Under their own name; somebody who is known by a phone number or an address has none."""
    name = max(group, key=lambda identity: identity.names.total()).name
    if scrub(name).kinds:
        name = SOMEONE.title()
    return KnownPerson(unique_key(name, taken), name)


def _stand_in(group: Sequence[Identity], free: Pseudonyms, pseudonyms: dict[str, str]) -> KnownPerson:
    known = next((pseudonyms[identity.key] for identity in group if identity.key in pseudonyms), None)
    written = all(identity.key.startswith(_WRITTEN) for identity in group)
    stand_in = known or (written and free.keep(group[0].name)) or free.take(min(identity.key for identity in group))
    pseudonyms.update((identity.key, stand_in) for identity in group)
    return KnownPerson(stand_in, stand_in.title(), pseudonymous=True)
