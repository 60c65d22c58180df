"""The page of docs/ on persona.toml."""

from persona.config import Settings
from tests.conftest import ROOT
from trainer.init.first_settings import TEMPLATE
from trainer.init.reference import reference, tables


def test_the_page_is_current() -> None:
    """Else: python -m trainer.init.reference docs/settings.md."""
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == reference()


def test_every_key_is_described() -> None:
    """In the template, by a comment that says something."""
    described = {
        (table.name, key.name): key.description for table in tables(TEMPLATE.read_text("utf-8")) for key in table.keys
    }
    assert [key for key, words in described.items() if len(words) < 8 and key not in TERSE] == []


TERSE = {("people.KEY", "names")}


def test_every_table_is_there() -> None:
    """Those of the settings, and the rules of cleaning."""
    names = {table.name.partition(".")[0] for table in tables(TEMPLATE.read_text("utf-8"))}
    assert names == set(Settings.model_fields)


def test_what_is_allowed_stands_there_in_words() -> None:
    """Choices, bounds, durations, hours."""
    page = reference()
    assert '| `others` | `"context"` | `"context"`, `"mask"`, `"drop"` |' in page
    assert "| `dropout` | `0.05` | number from 0 below 1 |" in page
    assert '| `every` | `"6h"` | duration |' in page
    assert '| hours, as in `"09:00-23:00"` |' in page
    assert "| `consent` | `false` | `true`, `false` |" in page
