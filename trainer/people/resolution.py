"""Identities to persons: those that persona.toml names, and strangers under stand-ins."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from persona.config import Settings
from persona.names import SOMEONE, normalise, unique_key
from persona.pii.scrub import scrub
from trainer.people.configured_people import ConfiguredPeople
from trainer.people.identities import ERASED, Identity, KnownPerson
from trainer.people.pseudonyms import Pseudonyms

_WRITTEN = ("text:", "roles:")  # platforms of files that may be exports of our own


def resolve(
    settings: Settings,
    identities: Mapping[str, Identity],
    pseudonyms: dict[str, str],
    erased: Collection[str] = (),
) -> dict[str, KnownPerson]:
    """Return the person behind each identity key. pseudonyms: identity key -> stand-in; kept, and added to. erased:
    identity keys of people who asked to be forgotten."""
    configured = ConfiguredPeople(settings, identities.values())
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
    """Return the identity with an id behind each name of a platform, where there is exactly one."""
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
