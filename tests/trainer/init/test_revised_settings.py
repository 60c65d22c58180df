"""Settings that are there, changed by another first run."""

from pathlib import Path

import pytest

from persona.config import Base, load
from persona.settings_file import save_settings
from tests.conftest import ROOT
from trainer.init.answers import select_people
from trainer.init.first_settings import FirstRunAnswers
from trainer.init.look import call_of
from trainer.init.revised_settings import revised
from trainer.init.writers import Writer

SAMPLE = ROOT / "persona.toml" if (ROOT / "persona.toml").exists() else ROOT / "examples" / "persona.toml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The sample's settings."""
    path = tmp_path / "persona.toml"
    path.write_bytes(SAMPLE.read_bytes())
    return path


def choose(
    config: Path,
    me: str,
    agreed: str = "",
    *,
    sources: tuple[str, ...] = ("x",),
    rename: bool = False,
    others: str = "",
) -> None:
    """Write what was chosen. me, agreed, others: names, with commas; others were asked about and did not agree."""
    names = [name for text in (me, agreed, others) for name in text.split(", ") if name]
    writers = [Writer(name, (name,), 1, 0) for name in names]
    (persona,) = select_people(me.replace(", ", "+"), writers)
    friends = tuple(select_people(agreed, writers))
    old = load(config)
    chosen = FirstRunAnswers(persona, friends, sources, old.data.dms, Base())
    save_settings(revised(chosen, config.read_text("utf-8-sig"), writers, rename=rename), config)


def comments(config: Path) -> list[str]:
    return [line.partition("#")[2] for line in config.read_text("utf-8").splitlines() if "#" in line]


def test_another_persona_takes_no_alias_along_and_every_comment_stays(config: Path) -> None:
    """Who is not asked about keeps their word; who is, gave or took it."""
    before = comments(config)
    choose(config, "Priya Raman, priya_r", "Jonas Lindqvist, Ida", sources=("/exports/a",), others="Bram de Wit, Zoë")
    after = load(config)
    assert (after.persona.name, after.persona.aliases) == ("Priya Raman", ("priya_r",))
    assert after.data.sources == ("/exports/a",)
    assert {key for key, person in after.people.items() if person.consent} == {
        "JONAS",
        "IDA",
        "PRIYA",
        "XIAOYU",
        "NOOR",
    }
    assert "ZOË" not in after.people
    assert comments(config) == before


def test_another_name_of_the_same_person_becomes_an_alias(config: Path) -> None:
    """What is known already is left as it stands."""
    choose(config, "maravoss")
    assert load(config).persona.aliases == ("maravoss", "mara")
    choose(config, "Mara Voss, mv")
    assert load(config).persona.name == "Mara Voss"
    assert load(config).persona.aliases == ("maravoss", "mara", "mv")


def test_a_name_that_was_named_as_such_is_the_new_one(config: Path) -> None:
    """And the old one still means the same person."""
    choose(config, "Mara, Mara Voss", rename=True)
    after = load(config)
    assert after.persona.name == "Mara"
    assert "Mara Voss" in after.persona.aliases


def test_any_name_comes_back_as_it_was(config: Path) -> None:
    """Quotes, backslashes, emoji and what looks like a table."""
    names = ['Zo"e', "A\\B", "O'Hara 🐈", "a.b]", "[people.X]", "x = 1 # y", '"""']
    choose(config, "Mara Voss", ", ".join(names), sources=('ex"ports 🐈/\\',))
    after = load(config)
    agreed = {name for person in after.people.values() if person.consent for name in person.names}
    assert set(names) <= agreed
    assert after.data.sources == ('ex"ports 🐈/\\',)


def test_what_windows_puts_before_a_text_is_no_mistake(config: Path) -> None:
    """A byte order mark: settings that load can be changed."""
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
    choose(config, "Priya Raman")
    assert load(config).persona.name == "Priya Raman"


def test_a_link_to_the_settings_stays_a_link(config: Path, tmp_path: Path) -> None:
    """What it leads to is written, where its owner keeps it."""
    (tmp_path / "kept").mkdir()
    kept = config.rename(tmp_path / "kept" / "mara.toml")
    config.symlink_to("kept/mara.toml")
    choose(config, "Priya Raman")
    assert config.is_symlink()
    assert load(kept).persona.name == "Priya Raman"


def test_everybody_has_a_call_that_names_nobody_else() -> None:
    """Even namesakes, and names with the signs that join names."""
    writers = [
        Writer("Ann", ("Ann", "11"), 5, 0),
        Writer("Ann", ("Ann", "12"), 4, 0),
        Writer("Tom + Sue, at home", ("Tom + Sue, at home",), 3, 0),
        Writer("nobody", ("nobody",), 2, 0),
        Writer("Zed", ("Zed", "@zed"), 1, 0),
    ]
    calls = [call_of(writer, writers) for writer in writers]
    assert calls == ["11", "12", "3", "4", "Zed"]
    assert [select_people(call, writers)[0].writers for call in calls] == [(writer,) for writer in writers]
