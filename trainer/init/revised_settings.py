"""Settings that are there, with the answers of another first run: whatever else they say stays."""

from collections.abc import Sequence

from persona.names import normalise, unique_key
from persona.settings_file import SettingsDocument
from trainer.init.answers import ChosenPerson
from trainer.init.first_settings import FirstRunAnswers, person_values
from trainer.init.writers import Writer


def revised(chosen: FirstRunAnswers, text: str, writers: Sequence[Writer], *, rename: bool) -> str:
    """Return the text of the settings. writers: who was asked about. rename: the persona's name was named as such."""
    document = SettingsDocument(text)
    _set_persona(document, chosen.me, rename)
    _set_consent(document, chosen, writers)
    document.set("data", "sources", chosen.sources)
    if bool(document.get("data", "dms", False)) != chosen.dms:
        document.set("data", "dms", chosen.dms)
    if (document.get("base", "model", "scratch"), document.get("base", "revision", "main")) != (
        chosen.base.model,
        chosen.base.revision,
    ):
        document.set("base", "model", chosen.base.model)
        document.set("base", "revision", chosen.base.revision)
    return document.text


def _set_persona(document: SettingsDocument, me: ChosenPerson, rename: bool) -> None:
    """Names that are known already change nothing; a new person takes no alias of the old one along."""
    name, aliases = str(document.get("persona", "name", "")), [*document.get("persona", "aliases", ())]
    known = {normalise(str(call)) for call in (name, *aliases)}
    calls = [me.name, *me.calls]
    if not known & set(map(normalise, calls)):
        document.set("persona", "name", me.name)
        document.set("persona", "aliases", me.calls)
        return
    if rename and me.name != name:
        document.set("persona", "name", me.name)
        aliases = [name, *(alias for alias in aliases if normalise(str(alias)) != normalise(me.name))]
        document.set("persona", "aliases", aliases)
    if new := [call for call in calls if normalise(call) not in {*known, normalise(me.name if rename else name)}]:
        document.set("persona", "aliases", [*aliases, *new])


def _set_consent(document: SettingsDocument, chosen: FirstRunAnswers, writers: Sequence[Writer]) -> None:
    """Who was asked about gave or took their word; nothing changes for everybody else."""
    friends = {normalise(call): friend for friend in chosen.friends for call in (friend.name, *friend.calls)}
    asked = {normalise(call) for writer in writers if writer not in chosen.me.writers for call in writer.calls}
    known: set[str] = set()
    for key, person in list(document.people.items()):
        names = {normalise(key), *(normalise(str(name)) for name in person.get("names", ()))}
        if names & asked:
            document.set_person(key, {"consent": bool(names & friends.keys())})
        known |= names
    taken = {*known, *(normalise(call) for call in (chosen.me.name, *chosen.me.calls))}
    for friend in chosen.friends:
        if not known & {normalise(call) for call in (friend.name, *friend.calls)}:
            key = unique_key(friend.name, taken)
            taken.add(key)
            document.set_person(key, person_values(friend))
