"""Who is who: names and ids joined, strangers under stand-ins, and no name left in a text."""

from pathlib import Path

from msgspec.structs import replace

from persona.config import Settings
from tests.trainer.people import messages
from tests.trainer.people.messages import said
from trainer.people.identities import Identity, named_people, register_sender
from trainer.people.resolution import resolve
from trainer.sources.message import Message

SETTINGS = """
[persona]
name = "Mara Voss"
aliases = ["maravoss", "100"]
[people.JONAS]
names = ["Jonas Lindqvist", "@jonas_l"]
telegram = ["55"]
consent = true
[people.EVE]
names = ["Eve"]
"""


def settings_of(folder: Path, extra: str = "") -> Settings:
    return messages.settings_of(folder, SETTINGS + extra)


def test_one_person_has_one_key_over_all_exports(tmp_path: Path) -> None:
    """By name in any case, by handle, by id."""
    identities: dict[str, Identity] = {}
    mine = [
        said("x", "7", "someone else", "MaraVoss"),
        said("telegram", "user100", "M."),
        said("discord", "9", "mara voss"),
    ]
    jonas = [said("x", "8", "J", "jonas_l"), said("telegram", "user55", "JL"), said("discord", "4", "Jonas Lindqvist")]
    keys = [register_sender(identities, one) for one in (*mine, *jonas)]
    people = resolve(settings_of(tmp_path), identities, {})
    assert [people[key].key for key in keys] == ["MARA VOSS"] * 3 + ["JONAS"] * 3
    assert people[keys[0]].persona
    assert people[keys[3]].consent


def test_people_without_consent_get_a_stand_in_that_stays(tmp_path: Path) -> None:
    """Also those whom persona.toml names without consent; the same in every import, one for a name over platforms."""
    identities: dict[str, Identity] = {}
    keys = [
        register_sender(identities, one)
        for one in (said("x", "1", "Eve"), said("telegram", "user2", "Eve"), said("x", "3", "Zed"))
    ]
    pseudonyms: dict[str, str] = {}
    people = resolve(settings_of(tmp_path), identities, pseudonyms)
    assert people[keys[0]].key == people[keys[1]].key != people[keys[2]].key
    assert all(people[key].pseudonymous and not people[key].consent for key in keys)
    assert "EVE" not in {person.key for person in people.values()}
    more = dict(identities)
    register_sender(more, said("x", "0", "Aaron"))
    again = resolve(settings_of(tmp_path), more, dict(pseudonyms))
    assert [again[key].key for key in keys] == [people[key].key for key in keys]


def test_the_account_that_made_an_export_is_the_persona_where_it_has_no_name(tmp_path: Path) -> None:
    """Signal's "Me"; unless [people] says that Me is somebody else. One that has a name is known by it."""
    identities: dict[str, Identity] = {}
    nameless = replace(said("signal", "", "Me"), is_self=True)
    keys = [register_sender(identities, one) for one in (nameless, replace(said("x", "5", "Bob", "bob"), is_self=True))]
    keys.append(register_sender(identities, said("discord", "6", "Me")))
    people = resolve(settings_of(tmp_path), identities, {})
    assert [people[key].persona for key in keys] == [True, False, False]
    friend = resolve(settings_of(tmp_path, '[people.PIM]\nnames = ["Pim", "Me"]\nconsent = true\n'), identities, {})
    assert friend[keys[0]].key == "PIM"
    hidden = resolve(settings_of(tmp_path, '[people.PIM]\nnames = ["Pim", "Me"]\n'), identities, {})
    assert hidden[keys[0]].pseudonymous


def test_a_bare_handle_belongs_to_the_one_account_that_bears_it(tmp_path: Path) -> None:
    """A mention or a fetched reply without an id; where two bear the name it is nobody's."""
    identities: dict[str, Identity] = {}
    owner = register_sender(identities, said("x", "9", "Zelda", "zq"))
    bare = register_sender(identities, said("x", "1", "Pim", text="ask @zq and @nobody_known"))
    people = resolve(settings_of(tmp_path), identities, {})
    assert people["x:=ZQ"] == people[owner] != people[bare]
    assert people["x:=NOBODY_KNOWN"].pseudonymous
    register_sender(identities, said("x", "10", "zq"))
    again = resolve(settings_of(tmp_path), identities, {})
    assert again["x:=ZQ"] not in (again[owner], again["x:10"])


def test_a_name_that_is_a_number_is_no_name(tmp_path: Path) -> None:
    """Unsaved contacts are called by their phone number; without pseudonyms they are somebody."""
    identities: dict[str, Identity] = {}
    key = register_sender(identities, said("whatsapp", "", "+49 151 23456789"))
    people = resolve(settings_of(tmp_path, "[data]\npseudonyms = false\n"), identities, {})
    assert people[key].key == "SOMEONE"


def test_ten_thousand_strangers_have_as_many_names(tmp_path: Path) -> None:
    """No two look alike, and none is the persona's or a friend's."""
    identities: dict[str, Identity] = {}
    for number in range(10_000):
        register_sender(identities, said("x", str(number), f"somebody {number}"))
    people = resolve(settings_of(tmp_path), identities, {})
    assert len({person.key for person in people.values()}) == 10_000


def test_two_people_of_one_name_on_one_platform_are_two(tmp_path: Path) -> None:
    """Ids tell them apart."""
    identities: dict[str, Identity] = {}
    keys = [register_sender(identities, said("discord", number, "Sam")) for number in ("1", "2")]
    people = resolve(settings_of(tmp_path, "[data]\npseudonyms = false\n"), identities, {})
    assert [people[key].key for key in keys] == ["SAM", "SAM 2"]


def test_on_platforms_without_ids_a_name_is_a_mention() -> None:
    """ "nick:" at the beginning; on IRC, where nicks are told from words, anywhere. Of those who are known so far."""

    def named(platform: str, text: str, sender_id: str = "") -> list[str]:
        identities = {key: Identity(key) for key in ("irc:=BOB", "whatsapp:=BOB", "discord:=BOB")}
        said = Message(
            platform=platform,
            conversation_id="c",
            conversation_type="group",
            message_id="1",
            sender_id=sender_id,
            sender_name="Ann",
            text=text,
        )
        return named_people(identities, said)

    assert named("irc", "bob: yes") == named("irc", "thanks bob") == ["irc:=BOB"]
    assert named("whatsapp", "Bob, yes") == ["whatsapp:=BOB"]
    assert named("whatsapp", "thanks bob") == named("irc", "carol: hi") == []
    assert named("discord", "bob: yes", sender_id="7") == []
