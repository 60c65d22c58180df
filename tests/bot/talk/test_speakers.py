"""Under which key a live person is written."""

from pathlib import Path

import pytest

from bot.talk.speakers import live_key, named_back, reserved_keys
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
