"""What is chosen on the page, in persona.toml."""

import re
from pathlib import Path

import pytest

from bot.studio.chosen_settings import choose
from persona.config import load
from persona.errors import SettingsError
from tests.conftest import ROOT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The committed settings."""
    path = tmp_path / "persona.toml"
    path.write_bytes((ROOT / "examples" / "persona.toml").read_bytes())
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
    choose(config, persona=["Mara Voss", "mv"], consent={}, sources=[])
    assert load(config).persona.name == "Mara Voss"
    assert load(config).persona.aliases == ("maravoss", "mara", "mv")
    assert load(config).data.sources == ("x",), "a box that was left empty takes nothing away"


def test_what_makes_no_valid_settings_is_not_written(config: Path) -> None:
    """The file is as it was, and nothing lies beside it."""
    before = config.read_bytes()
    for persona, sentence in (([], "choose whose"), (["\u200b"], f"{config}: [persona] name")):
        with pytest.raises(SettingsError, match=re.escape(sentence)):
            choose(config, persona=persona, consent={}, sources=["x"])
    assert config.read_bytes() == before
    assert list(config.parent.iterdir()) == [config]


def test_settings_that_are_broken_already_say_so(config: Path) -> None:
    """As every command would say it, whatever is chosen."""
    for text, sentence in (("[data]\n", "persona"), ("[persona\n", "not valid TOML"), (None, "there is no")):
        config.unlink() if text is None else config.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=sentence):
            choose(config, persona=["Priya Raman"], consent={}, sources=["x"])


def test_what_windows_puts_before_a_text_is_no_mistake(config: Path) -> None:
    """A byte order mark: settings that load can be changed."""
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
    choose(config, persona=["Priya Raman"], consent={}, sources=["x"])
    assert load(config).persona.name == "Priya Raman"


def test_a_link_to_the_settings_stays_a_link(config: Path, tmp_path: Path) -> None:
    """What it leads to is written, where its owner keeps it."""
    (tmp_path / "kept").mkdir()
    kept = config.rename(tmp_path / "kept" / "mara.toml")
    config.symlink_to("kept/mara.toml")
    choose(config, persona=["Priya Raman"], consent={}, sources=["x"])
    assert config.is_symlink()
    assert load(kept).persona.name == "Priya Raman"


def test_any_name_comes_back_as_it_was(config: Path) -> None:
    """Quotes, backslashes, emoji and what looks like a table."""
    names = ['Zo"e', "A\\B", "O'Hara 🐈", "a.b]", "[people.X]", "x = 1 # y", '"""', "\u2028"]
    choose(config, persona=["Mara Voss"], consent=dict.fromkeys(names, True), sources=['ex"ports 🐈/\\'])
    after = load(config)
    told = {name for one in after.people.values() if one.consent for name in one.names}
    assert set(names) <= told
    assert after.data.sources == ('ex"ports 🐈/\\',)
