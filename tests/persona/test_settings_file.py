"""persona.toml edited: what changes is the value, and nothing around it."""

from pathlib import Path

import pytest

from persona.errors import SettingsError
from persona.settings_file import SettingsDocument, save_settings

TEXT = """[persona]
name = "Ines"        # whose voice

[people.ILA]         # who else
names = ["Ila"]      # their names
consent = false

[data]
sources = []         # exports
"""


def test_comments_stay_in_their_column_whatever_the_value() -> None:
    """Of a longer one, and of a list that takes several lines."""
    document = SettingsDocument(TEXT)
    document.set("persona", "name", "Ines Quill")
    document.set("data", "sources", [f"exports/number {number}" for number in range(9)])
    assert 'name = "Ines Quill"  # whose voice\n' in document.text
    assert f"]{' ' * 20}# exports\n" in document.text
    assert document.get("data", "sources")[8] == "exports/number 8"
    assert document.get("data", "corpus", "corpus") == "corpus"


def test_people_are_added_after_a_blank_line_each() -> None:
    """Like another one, comments and all, or bare; a changed one stays where it is."""
    document = SettingsDocument(TEXT)
    document.set_person("BO", {"names": ["Bo"], "consent": True}, like="ILA")
    document.set_person("小鸥", {"names": ["小鸥"]})
    document.set_person("ILA", {"consent": True})
    people = document.text[document.text.index("[people") : document.text.index("[data]")]
    assert people == (
        '[people.ILA]         # who else\nnames = ["Ila"]      # their names\nconsent = true\n\n'
        '[people.BO]         # who else\nnames = ["Bo"]       # their names\nconsent = true\n\n'
        '[people."小鸥"]\nnames = ["小鸥"]\n\n'
    )
    document.remove_person("BO")
    assert "Bo" not in document.text


def test_settings_are_saved_if_they_load_and_a_link_stays_a_link(tmp_path: Path) -> None:
    """With the mode they had; nothing lies beside them."""
    real, link = tmp_path / "real.toml", tmp_path / "persona.toml"
    real.write_text(TEXT)
    real.chmod(0o640)
    link.symlink_to(real.name)
    assert save_settings(TEXT.replace("Ines", "Ada"), link).persona.name == "Ada"
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    with pytest.raises(SettingsError, match="is there already"):
        save_settings(TEXT, link, overwrite=False)
    with pytest.raises(SettingsError, match="persona"):
        save_settings("[data]\n", link)
    assert 'name = "Ada"' in real.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"real.toml", "persona.toml"}
