"""What is chosen on the page, written into persona.toml. Knows nothing of Gradio."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from persona.config import load
from persona.errors import SettingsError
from persona.names import normalise, unique_key
from persona.settings_file import SettingsDocument, save_settings


def choose(config: Path, *, persona: Sequence[str], consent: Mapping[str, bool], sources: Sequence[str]) -> None:
    """Write whose voice it is (all names of one person), who agreed to be imitated and who did not, and where exports are.

    Without `sources` those in the file stay. Raises SettingsError if there are no settings or these would make them invalid;
    the file is unchanged then.
    """
    if not persona:
        raise SettingsError("choose whose voice it is first")
    load(config)  # settings that are invalid already are reported as such
    document = SettingsDocument(config.read_text(encoding="utf-8-sig"))
    _set_persona(document, persona)
    _set_consent(document, {name: agreed for name, agreed in consent.items() if name not in persona})
    if sources:
        document.set("data", "sources", sources)
    save_settings(document.text, config)


def _set_persona(document: SettingsDocument, names: Sequence[str]) -> None:
    """Names that are known already change nothing; a new person takes no alias of the old one along."""
    aliases = list(document.get("persona", "aliases", ()))
    known = {normalise(str(name)) for name in (document.get("persona", "name"), *aliases)}
    if not known & set(map(normalise, names)):
        document.set("persona", "name", names[0])
        document.set("persona", "aliases", names[1:])
    elif new := [name for name in names if normalise(name) not in known]:
        document.set("persona", "aliases", [*aliases, *new])


def _set_consent(document: SettingsDocument, consent: Mapping[str, bool]) -> None:
    """Nothing changes for people who are not named in `consent`."""
    by_name = {normalise(name): agreed for name, agreed in consent.items()}
    known: set[str] = set()
    for key, person in list(document.people.items()):
        names = {normalise(key), *(normalise(str(name)) for name in person.get("names", ()))}
        if names & by_name.keys():
            document.set_person(key, {"consent": any(by_name.get(name, False) for name in names)})
        known |= names
    for name, agreed in consent.items():
        if agreed and normalise(name) not in known:
            key = unique_key(name, {*known, normalise(str(document.get("persona", "name")))})
            document.set_person(key, {"names": [name], "consent": True})
            known.add(key)
