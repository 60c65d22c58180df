"""The settings a first run writes: the committed file's comments, every key at its default, any name unharmed."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.config import Base, Settings, load
from persona.errors import UserError
from persona.names import normalise
from persona.settings_file import SettingsDocument, save_settings
from tests.conftest import ROOT
from trainer.init.answers import ChosenPerson
from trainer.init.first_settings import TEMPLATE, FirstRunAnswers, rendered, settings_path

INES = ChosenPerson("Ines", ("ines_quill",), ())
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(normalise)


def chosen(
    me: ChosenPerson = INES, friends: tuple[ChosenPerson, ...] = (), sources: tuple[str, ...] = ("exports",)
) -> FirstRunAnswers:
    return FirstRunAnswers(me, friends, sources, False, Base())


def explained(path: Path) -> dict[tuple[str, str], str]:
    """The comment of each table and key; people are one table."""
    found: dict[tuple[str, str], str] = {}
    table = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if head := re.match(r"\[([\w.]+)\]", line):
            table = "people" if head[1].startswith("people.") else head[1]
        key = re.match(r"(?:# )?(\w+) = ", line)
        if comment := re.search(r" #(?: (.*))", line[1:]):
            found.setdefault((table, key[1] if key else ""), comment[1])
        elif key:
            found.setdefault((table, key[1]), "")
    return found


def test_the_template_says_what_the_committed_settings_say() -> None:
    """Key by key, in the same order: neither is changed without the other."""
    assert list(explained(TEMPLATE).items()) == list(explained(ROOT / "examples" / "persona.toml").items())


def test_the_template_holds_every_default() -> None:
    """What it says is what a missing key would mean, and no key is missing but those that are commented out."""
    tables = tomllib.loads(TEMPLATE.read_text(encoding="utf-8"))
    tables["persona"]["name"] = "Ines"
    del tables["people"]
    assert Settings.model_validate(tables) == Settings.model_validate({"persona": {"name": "Ines"}})
    told = {(table, key) for table, key in explained(TEMPLATE) if key}
    for table, field in Settings.model_fields.items():
        keys = getattr(field.annotation, "model_fields", {})
        assert {(table, key) for key in keys if key != "cleaning"} <= told, table


def test_what_is_written_loads_with_the_answers_in_it(tmp_path: Path) -> None:
    """And whatever else is there is as the template has it."""
    friends = (ChosenPerson("Ila", ("ila#0001",), ()), ChosenPerson("小鸥", (), ()), ChosenPerson("INES", (), ()))
    many = tuple(f"~/Downloads/export number {number}" for number in range(9))
    settings = save_settings(
        rendered(chosen(INES, friends, many), TEMPLATE.read_text("utf-8")), tmp_path / "p.toml", overwrite=False
    )
    assert settings.persona.aliases == ("ines_quill",)
    assert list(settings.people) == ["ILA", "小鸥", "INES 2"]
    assert settings.people["ILA"].names == ("Ila", "ila#0001")
    assert all(friend.consent for friend in settings.people.values())
    assert settings.data.sources == many
    assert [path.name for path in tmp_path.iterdir()] == ["p.toml"]


def test_where_nobody_agreed_the_table_stays_as_an_example(tmp_path: Path) -> None:
    """In comments, so that it can be filled in later."""
    settings = save_settings(rendered(chosen(), TEMPLATE.read_text("utf-8")), tmp_path / "p.toml", overwrite=False)
    assert settings.people == {}
    assert "# [people.KEY]" in settings.path.read_text(encoding="utf-8")


@given(me=NAMES, friend=NAMES, source=NAMES)
def test_any_name_comes_back_unharmed(me: str, friend: str, source: str) -> None:
    """Quotes, brackets, comment signs, line breaks and all."""
    text = rendered(
        chosen(ChosenPerson(me, (friend,), ()), (ChosenPerson(friend, (me,), ()),), (source,)),
        TEMPLATE.read_text("utf-8"),
    )
    tables = tomllib.loads(text)
    assert tables["persona"] == {"name": me, "aliases": [friend]}
    (person,) = tables["people"].values()
    assert person["names"] == [friend, me]
    assert tables["data"]["sources"] == [source]


def test_settings_that_are_there_are_not_overwritten(tmp_path: Path) -> None:
    """Unless that was asked for; no draft is left."""
    (tmp_path / "p.toml").write_text("# mine\n")
    text = rendered(chosen(), TEMPLATE.read_text("utf-8"))
    with pytest.raises(UserError, match="is there already"):
        save_settings(text, tmp_path / "p.toml", overwrite=False)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["# mine\n"]
    save_settings(text, tmp_path / "p.toml", overwrite=True)
    assert load(tmp_path / "p.toml").persona.name == "Ines"


def test_a_value_keeps_its_comment_in_its_column() -> None:
    """Of the key in its own table."""
    text = "[a]\nkey = 1   # one\n\n[b]\nkey = 2                                   # two\n"
    document = SettingsDocument(text)
    document.set("b", "key", "x")
    line = 'key = "x"'.ljust(text.index("#", 30) - text.rindex("key"))
    assert document.text == f"[a]\nkey = 1   # one\n\n[b]\n{line}# two\n"


def test_paths_are_named_as_a_user_would() -> None:
    """Relative below the settings, from ~ below home, else absolute."""
    root, home = Path("/home/ines/bot"), Path("/home/ines")
    assert settings_path(root / "exports", root, home) == "exports"
    assert settings_path(home / "Downloads" / "x.zip", root, home) == "~/Downloads/x.zip"
    assert settings_path(Path("/media/stick"), root, home) == "/media/stick"
