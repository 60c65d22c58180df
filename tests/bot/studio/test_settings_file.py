"""What is chosen on the page, in persona.toml."""

from pathlib import Path

import pytest

from bot.studio.settings_file import choose
from persona.config import load
from persona.fault import SettingsFault
from tests.conftest import ROOT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The committed settings."""
    path = tmp_path / "persona.toml"
    path.write_bytes((ROOT / "persona.toml").read_bytes())
    return path


def test_another_persona_takes_no_alias_along_and_every_comment_stays(config: Path) -> None:
    """Who is not named keeps their word; who is, gave or took it."""
    before = config.read_text(encoding="utf-8")
    consent = {"Jonas Lindqvist": True, "Ida": True, "Bram de Wit": False, "Zoë": False, "Priya Raman": True}
    choose(config, persona=["Priya Raman", "priya_r"], consent=consent, sources=["/exports/a"])
    after = load(config)
    assert (after.persona.name, after.persona.aliases) == ("Priya Raman", ("priya_r",))
    assert after.data.sources == ("/exports/a",)
    assert {key for key, one in after.people.items() if one.consent} == {"JONAS", "IDA", "PRIYA", "XIAOYU", "NOOR"}
    assert "ZOË" not in after.people
    comments = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    assert [
        line.partition("#")[2] for line in config.read_text(encoding="utf-8").splitlines() if "#" in line
    ] == comments


def test_another_name_of_the_same_person_becomes_an_alias(config: Path) -> None:
    """What is known already is left as it stands."""
    choose(config, persona=["maravoss"], consent={}, sources=["x"])
    assert load(config).persona.aliases == ("maravoss", "mara")
    choose(config, persona=["Mara Voss", "mv"], consent={}, sources=["x"])
    assert load(config).persona.name == "Mara Voss"
    assert load(config).persona.aliases == ("maravoss", "mara", "mv")


def test_what_makes_no_valid_settings_is_not_written(config: Path) -> None:
    """The file is as it was, and nothing lies beside it."""
    before = config.read_bytes()
    for persona in ([], ["\u200b"]):
        with pytest.raises(SettingsFault):
            choose(config, persona=persona, consent={}, sources=["x"])
    assert config.read_bytes() == before
    assert list(config.parent.iterdir()) == [config]
