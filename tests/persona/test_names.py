"""Speaker keys: one name, one key, and none that could be taken for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.names import normalise, skeleton, unique_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Alice", "ALICE"),
        ("  alice   b. ", "ALICE B."),
        ("小雨", "小雨"),
        ("Straße", "STRASSE"),
        ("bob\u200b\u202e", "BOB"),
        ("ＢＯＢ", "BOB"),
        ("eve:\nMARA", "EVE: MARA"),
        ("# group", "GROUP"),
        ("\\x:", "X"),
        ("\x00\u200d", ""),
        ("❤️", "❤"),
    ],
)
def test_a_display_name_becomes_a_key(name: str, key: str) -> None:
    """Upper case, one line, nothing invisible, no mark of a header or a scene."""
    assert normalise(name) == key


@given(st.text())
def test_normalise_is_idempotent(name: str) -> None:
    """A key is its own key, whatever the script."""
    assert normalise(normalise(name)) == normalise(name)


@pytest.mark.parametrize("other", ["АLICE", "ALICΕ", "AL1CE", "alice"])
def test_look_alikes_share_a_skeleton(other: str) -> None:
    """Cyrillic, Greek and digits that print like Latin capitals."""
    assert skeleton(other) == skeleton("Alice")


def test_a_taken_key_is_numbered() -> None:
    """Two people of one name, and one whose name only looks the same."""
    assert unique_key("Bob", []) == "BOB"
    assert unique_key("bob", ["BOB"]) == "BOB 2"
    assert unique_key("ВОВ", ["BOB", "BOB 2"]) == "ВОВ 3"
    assert unique_key("\u200b", []) == "SOMEONE"


@given(st.lists(st.text(max_size=70), max_size=8))
def test_keys_made_one_after_the_other_never_look_alike(names: list[str]) -> None:
    """Whatever people call themselves."""
    taken: list[str] = []
    for name in names:
        taken.append(unique_key(name, taken))
    assert len({skeleton(key) for key in taken}) == len(names)
    assert all(normalise(key) == key for key in taken)
