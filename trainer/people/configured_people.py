"""The people that persona.toml names: who of the exports each of them is.

Ids join and part people. A name alone is enough only where one account of a platform bears it: where several do, an id or a
handle has to say whose it is, for a stranger of that name is not to be imitated.
"""

from collections.abc import Iterable, Sequence

from persona.config import Settings
from persona.errors import SettingsError
from persona.names import normalise
from trainer.people.identities import Identity, KnownPerson

IDS_SHOWN = 6


class ConfiguredPeople:
    """Looks people up by id, handle or name. Raises SettingsError if a name is that of several accounts of one platform."""

    def __init__(self, settings: Settings, identities: Iterable[Identity]) -> None:
        self._me = KnownPerson(settings.persona.key, settings.persona.name, consent=True, persona=True)
        self._by_name = {_folded(name): self._me for name in (settings.persona.name, *settings.persona.aliases)}
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
                self._hidden.update(map(_folded, (key, *friend.names)))
            else:
                self._by_name.update((_folded(alias), person) for alias in (key, *friend.names))
                self._by_id.update((key, person) for key in friend.export_keys())
        for name in dropped:
            self._by_name.setdefault(name, KnownPerson(name, name, dropped=True))
        self._namesakes = self._parted(identities, settings)

    def person(self, identity: Identity) -> KnownPerson | None:
        """Return whom an identity belongs to; None if it is a stranger's."""
        if identity.key in self._by_id:
            return self._by_id[identity.key]
        calls = list(map(normalise, identity.aliases))
        named = next((self._by_name[call] for call in calls if call in self._by_name), None)
        if named and not named.dropped and identity.key in self._namesakes:
            return None
        mine = identity.is_self and not self._hidden.intersection(calls)
        return named or (self._me if mine else None)

    def _parted(self, identities: Iterable[Identity], settings: Settings) -> frozenset[str]:
        """Return the keys of strangers who bear the name of somebody whose account is another one."""
        alike: dict[tuple[KnownPerson, str], list[tuple[int, Identity]]] = {}
        for identity in identities:
            if (met := self._met(identity)) is not None:
                alike.setdefault((met[0], identity.platform), []).append((met[1], identity))
        strangers: set[str] = set()
        for (person, platform), met_here in alike.items():
            accounts = [(how, identity) for how, identity in met_here if identity.has_id and identity.names]
            surest = max((how for how, _ in accounts), default=_BY_NAME)
            own = [identity for how, identity in accounts if how == surest]
            if surest == _BY_NAME and len(own) > 1:
                raise _ambiguous(person, platform, own, settings)
            if len(accounts) > 1:
                strangers.update(identity.key for how, identity in met_here if how < surest)
        return frozenset(strangers)

    def _met(self, identity: Identity) -> tuple[KnownPerson, int] | None:
        """Return who may be meant, and how it is known."""
        if person := self._by_id.get(identity.key):
            return None if person.dropped else (person, _BY_ID)
        number = identity.key.partition(":")[2] if identity.has_id else ""
        ways = (
            (_BY_ID, (number, number.removeprefix("user"))),
            (_BY_HANDLE, (identity.handle,)),
            (_BY_NAME, (*identity.names, *(() if identity.has_id else (identity.name,)))),
        )
        for how, calls in ways:
            for call in map(normalise, calls):
                if call and (person := self._by_name.get(call)) and not person.dropped:
                    return person, how
        return None


_BY_NAME, _BY_HANDLE, _BY_ID = 1, 2, 3


def _folded(alias: str) -> str:
    return normalise(alias.lstrip("@"))


def _ambiguous(person: KnownPerson, platform: str, accounts: Sequence[Identity], settings: Settings) -> SettingsError:
    ids = [
        f"{identity.key.partition(':')[2]} ({identity.names.total():,} messages)"
        for identity in sorted(accounts, key=lambda identity: -identity.names.total())
    ]
    where = "[persona] aliases" if person.persona else f"[people.{person.key}] names"
    more = f" and {len(ids) - IDS_SHOWN:,} more" if len(ids) > IDS_SHOWN else ""
    return SettingsError(
        f"{len(ids)} accounts on {platform} are called {accounts[0].name!r}: {', '.join(ids[:IDS_SHOWN])}{more}; put the id of "
        f"the right one (or of each, if they are one person's) into {where} in {settings.path.name}"
    )
