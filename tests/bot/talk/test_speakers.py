"""Under which key a live person is written."""

from pathlib import Path

import pytest

from bot.talk.speakers import live_key, named_back, reserved_keys, without_stand_ins
from persona.bundle import BaseModelSeal, Seal, Speaker
from persona.config import Settings, load

SETTINGS = """
[persona]
name = "Mara Voss"
aliases = ["mara"]
[people.JONAS]
discord = ["5"]
telegram = ["6"]
consent = true
"""
BASE = BaseModelSeal(model="scratch", weights="", architecture="qwen3")
HEARD = {key: Speaker(name=key.title()) for key in ("MARA VOSS", "JONAS", "HERON")}
SEAL = Seal(speaker="MARA VOSS", speakers=HEARD, end_of_turn=0, stops=(0,), max_length=64, base=BASE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "persona.toml").write_text(SETTINGS)
    return load(tmp_path / "persona.toml", {})


@pytest.mark.parametrize(
    ("platform", "author", "name", "key"),
    [
        ("discord", "5", "whatever", "JONAS"),
        ("telegram", "6", "whatever", "JONAS"),
        ("telegram", "5", "Jonas", "JONAS 2"),
        ("discord", "9", "mara", "MARA 2"),
        ("discord", "9", "MАRA VOSS", "MАRA VOSS 2"),
        ("discord", "9", "Heron", "HERON 2"),
        ("discord", "9", "Ann", "ANN 2"),
        ("discord", "9", "", "SOMEONE"),
    ],
)
def test_a_live_key_is_known_or_nobody_else_s(
    settings: Settings, platform: str, author: str, name: str, key: str
) -> None:
    """Whom [people] knows by id gets the trained key; nobody else gets anybody's."""
    assert live_key(settings, SEAL, platform, author, name, taken=("ANN",)) == key


def test_the_persona_and_its_aliases_are_reserved(settings: Settings) -> None:
    """No live stranger may bear them."""
    assert {"MARA VOSS", "MARA", "JONAS", "HERON"} <= reserved_keys(settings, SEAL)


def test_a_reply_calls_people_by_their_own_names() -> None:
    """The number behind a key is ours, not theirs."""
    assert named_back("hi bob 2, and BOB 2!", {"BOB 2": "Bob"}) == "hi Bob, and Bob!"
    assert named_back("bob 22", {"BOB 2": "Bob"}) == "bob 22"
    assert named_back("x", {"X": r"\1 $"}) == r"\1 $"


STAND_INS = SEAL.model_copy(update={"data": {"stand_ins": ["Heron", "Grey Heron", "Gadwall"], "somebody": "somebody"}})


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("ask Heron about it", "ask somebody about it"),
        ("GADWALL: no", "somebody: no"),
        ("@heron's tea", "somebody's tea"),
        ("Grey Heron isn't Heron, Heron says", "somebody isn't somebody else, somebody else says"),
        ("a heron by the pond", "a heron by the pond"),
        ("Heron 2 is live, Herons are birds", "Heron 2 is live, Herons are birds"),
    ],
)
def test_no_friend_reads_a_stand_in(line: str, read: str) -> None:
    """They don't know who that is."""
    assert without_stand_ins([line], STAND_INS) == (read,)


def test_a_bundle_that_names_no_stand_ins_says_what_it_says() -> None:
    """Those of older releases."""
    assert without_stand_ins(["ask Heron"], SEAL) == ("ask Heron",)
    german = STAND_INS.model_copy(update={"data": {"stand_ins": ["Heron", "Otter"], "somebody": "jemand"}})
    assert without_stand_ins(["Heron und Otter"], german) == ("jemand und jemand",)
