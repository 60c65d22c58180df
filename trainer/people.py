"""Who is who over all exports: names and ids joined to persons, persons to speaker keys, and names inside texts."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from persona.config import Settings
from persona.names import SOMEONE, normalise, skeleton, unique_key
from trainer.sources.message import Message
from trainer.words import COLOURS, COMMON, PSEUDONYMS

_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Identity:
    """Somebody as one platform knows them. key: `platform:id`, or `platform:=NAME` where the export has no ids."""

    key: str
    names: Counter[str] = field(default_factory=Counter)
    handle: str = ""

    @property
    def name(self) -> str:
        """The display name seen most often."""
        return self.names.most_common(1)[0][0] if self.names else self.handle or self.key.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Person:
    """A speaker. key: as transcripts write them. name: as a reader sees them. pseudonymous: the name is a stand-in."""

    key: str
    name: str
    consent: bool = False
    persona: bool = False
    pseudonymous: bool = False
    dropped: bool = False


def identity_key(platform: str, sender_id: str, sender_name: str) -> str:
    """How an identity is known for good."""
    return (
        f"{platform}:{sender_id}"
        if sender_id and platform != "text"
        else f"{platform}:={normalise(sender_name) or SOMEONE}"
    )


def meet(identities: dict[str, Identity], message: Message) -> str:
    """Note who sent a message and whom it mentions; returns the sender's identity key."""
    for number, name in message.mentions:
        if name and number:
            key = identity_key(message.platform, number, name)
            identities.setdefault(key, Identity(key)).handle = name
    key = identity_key(message.platform, message.sender_id, message.sender_name)
    known = identities.setdefault(key, Identity(key))
    if message.sender_name:
        known.names[message.sender_name] += 1
    known.handle = message.sender_handle or known.handle
    return key


def resolve(settings: Settings, identities: Mapping[str, Identity], pseudonyms: dict[str, str]) -> dict[str, Person]:
    """The person behind each identity key. pseudonyms: identity key -> stand-in; kept, and added to."""
    named = _Named(settings)
    people: dict[str, Person] = {}
    strangers: list[Identity] = []
    for identity in identities.values():
        if person := named.person(identity):
            people[identity.key] = person
        else:
            strangers.append(identity)
    taken = {person.key for person in people.values()} | {
        settings.persona.key,
        *map(normalise, settings.persona.aliases),
        *settings.people,
    } - {""}
    for group in _same_people(strangers):
        person = _stranger(settings, group, taken, pseudonyms)
        taken.add(person.key)
        people.update((identity.key, person) for identity in group)
    return people


class _Named:
    """The people that persona.toml names, looked up by id, name or handle."""

    def __init__(self, settings: Settings) -> None:
        me = Person(settings.persona.key, settings.persona.name, consent=True, persona=True)
        self._by_name = {normalise(name.lstrip("@")): me for name in (settings.persona.name, *settings.persona.aliases)}
        self._by_id: dict[str, Person] = {}
        dropped = {normalise(name) for name in settings.data.drop_speakers}
        for key, friend in settings.people.items():
            persona = key == settings.persona.key
            name = settings.persona.name if persona else (friend.names or (key,))[0]
            hidden = settings.data.pseudonyms and not (friend.consent or persona)
            person = Person(
                key,
                name,
                friend.consent or persona,
                persona,
                False,
                bool(dropped & {key, *map(normalise, friend.names)}),
            )
            if not hidden or person.dropped:
                self._by_name.update((normalise(one.lstrip("@")), person) for one in (key, *friend.names))
                self._by_id.update((f"discord:{number}", person) for number in friend.discord)
                self._by_id.update(
                    (f"telegram:user{number.removeprefix('user')}", person) for number in friend.telegram
                )
        for name in dropped:
            self._by_name.setdefault(name, Person(name, name, dropped=True))

    def person(self, identity: Identity) -> Person | None:
        if identity.key in self._by_id:
            return self._by_id[identity.key]
        _, _, number = identity.key.partition(":")
        calls = [number.lstrip("="), number.removeprefix("user"), identity.handle, *identity.names]
        return next(
            (self._by_name[call] for call in map(normalise, filter(None, calls)) if call in self._by_name), None
        )


def _same_people(strangers: list[Identity]) -> list[list[Identity]]:
    """Strangers as people, the most talkative first: one person on several platforms bears one name, but two ids of one
    platform are two people."""
    by_name: dict[str, list[Identity]] = {}
    for identity in strangers:
        by_name.setdefault(normalise(identity.name), []).append(identity)
    groups: list[list[Identity]] = []
    for alike in by_name.values():
        platforms = Counter(identity.key.partition(":")[0] for identity in alike)
        twice = [identity for identity in alike if platforms[identity.key.partition(":")[0]] > 1]
        groups += [[identity] for identity in twice]
        groups += [rest] if (rest := [identity for identity in alike if identity not in twice]) else []
    return sorted(groups, key=lambda group: -sum(identity.names.total() for identity in group))


def _stranger(settings: Settings, group: list[Identity], taken: set[str], pseudonyms: dict[str, str]) -> Person:
    name = max((identity for identity in group), key=lambda one: one.names.total()).name
    if not settings.data.pseudonyms:
        return Person(unique_key(name, taken), name)
    stand_in = next((pseudonyms[one.key] for one in group if one.key in pseudonyms), None) or _new_pseudonym(
        group, {*taken, *pseudonyms.values()}
    )
    pseudonyms.update((one.key, stand_in) for one in group)
    return Person(stand_in, stand_in.title(), pseudonymous=True)


def _new_pseudonym(group: list[Identity], taken: Iterable[str]) -> str:
    used = {skeleton(key) for key in taken}
    start = int.from_bytes(hashlib.sha256(min(one.key for one in group).encode()).digest()[:4])
    wheel = [PSEUDONYMS[(start + step) % len(PSEUDONYMS)] for step in range(len(PSEUDONYMS))]
    wheel += [f"{colour} {name}" for colour in COLOURS for name in wheel]
    return next((name for name in wheel if skeleton(name) not in used), None) or unique_key(wheel[0], taken)


class NamesInText:
    """Puts pseudonyms in place of the names of people who did not consent, wherever they stand in a text."""

    def __init__(self, identities: Mapping[str, Identity], people: Mapping[str, Person]) -> None:
        self._stand_ins: dict[str, str] = {}
        spared = {
            normalise(call)
            for key, person in people.items()
            if not person.pseudonymous
            for call in _calls(identities[key])
        }
        for key, person in people.items():
            if person.pseudonymous:
                self._stand_ins.update(
                    (call.casefold(), person.name) for call in _calls(identities[key]) if normalise(call) not in spared
                )
        self._by_first_word: dict[str, list[str]] = {}  # most texts hold no name: one look at their words shows it
        for call in self._stand_ins:
            first = _WORD.search(call)
            self._by_first_word.setdefault(first[0] if first and not _is_wide(call) else "", []).append(call)

    def replaced(self, text: str) -> str:
        """`text` with every such name replaced."""
        words = {word.casefold() for word in _WORD.findall(text)} | {""}
        calls = [call for word in words & self._by_first_word.keys() for call in self._by_first_word[word]]
        if not calls:
            return text
        pattern = "|".join(map(_bounded, sorted(calls, key=len, reverse=True)))  # re keeps the last patterns compiled
        return re.sub(
            pattern, lambda found: self._stand_ins.get(found[0].casefold(), SOMEONE.title()), text, flags=re.IGNORECASE
        )


def _calls(identity: Identity) -> set[str]:
    """What others call this identity in texts: its names, their first words, its handle."""
    names = {name.strip() for name in identity.names} | {identity.handle.lstrip("@")}
    firsts = {name.split()[0] for name in names if " " in name}
    return {
        call
        for call in names | firsts
        if len(call) >= (2 if _is_wide(call) else 3) and call.casefold() not in COMMON and not call.isdecimal()
    }


def _bounded(call: str) -> str:
    """A pattern for `call` as a word; scripts without blanks between words have no such bounds."""
    return re.escape(call) if _is_wide(call) else rf"(?<!\w){re.escape(call)}(?!\w)"


def _is_wide(text: str) -> bool:
    return any(char > "\u2e7f" for char in text)
