"""Two people of one name are two: ids join and part them."""

from pathlib import Path

import pytest

from persona.errors import SettingsError
from tests.trainer.people.messages import said, settings_of
from trainer.people.identities import Identity, register_sender
from trainer.people.resolution import resolve
from trainer.sources.message import Message


def met(*messages: Message) -> dict[str, Identity]:
    identities: dict[str, Identity] = {}
    for message in messages:
        register_sender(identities, message)
    return identities


def test_a_name_that_two_accounts_bear_makes_neither_the_persona(tmp_path: Path) -> None:
    """The ids are told, with how much each of them said."""
    identities = met(
        said("telegram", "user1", "Alex"), said("telegram", "user2", "Alex"), said("telegram", "user2", "Alex")
    )
    with pytest.raises(
        SettingsError, match=r"2 accounts on telegram are called 'Alex': user2 \(2 messages\), user1 \(1"
    ):
        resolve(settings_of(tmp_path, '[persona]\nname = "Alex"\n'), identities, {})


def test_an_id_says_which_of_them_it_is(tmp_path: Path) -> None:
    """Of the persona and of a friend; a namesake, and the bare name in an export without ids, are strangers."""
    identities = met(
        said("telegram", "user1", "Alex"),
        said("telegram", "user2", "Alex"),
        said("telegram", "", "Alex"),
        said("telegram", "user3", "Bo"),
        said("telegram", "user4", "Bo"),
    )
    text = (
        '[persona]\nname = "Alex"\naliases = ["user1"]\n[people.BO]\nnames = ["Bo"]\ntelegram = ["3"]\nconsent = true\n'
    )
    people = resolve(settings_of(tmp_path, text), identities, {})
    assert people["telegram:user1"].persona
    assert not people["telegram:user2"].persona
    assert not people["telegram:=ALEX"].persona
    assert people["telegram:user3"].key == "BO"
    assert people["telegram:user4"].pseudonymous


def test_a_handle_says_so_too_and_other_platforms_have_accounts_of_their_own(tmp_path: Path) -> None:
    """On Discord one account bears the name: it is theirs."""
    identities = met(
        said("telegram", "user1", "Alex", "alexq"), said("telegram", "user2", "Alex"), said("discord", "5", "Alex")
    )
    text = '[persona]\nname = "Alex"\naliases = ["@alexq"]\n'
    people = resolve(settings_of(tmp_path, text), identities, {})
    assert [key for key, person in people.items() if person.persona] == ["telegram:user1", "discord:5"]


def test_two_accounts_of_one_person_are_joined_by_their_ids(tmp_path: Path) -> None:
    """Named both, both are the persona."""
    identities = met(said("telegram", "user1", "Alex"), said("telegram", "user2", "Alex"))
    text = '[persona]\nname = "Alex"\naliases = ["user1", "user2"]\n'
    assert all(person.persona for person in resolve(settings_of(tmp_path, text), identities, {}).values())
