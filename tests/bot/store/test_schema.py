"""What is kept is told."""

from pathlib import Path

from bot.store.schema import metadata

PRIVACY = Path(__file__).parents[3] / "docs" / "privacy.md"


def test_the_privacy_page_names_every_table() -> None:
    """One that is added without a line there is a secret."""
    told = PRIVACY.read_text(encoding="utf-8")
    assert [name for name in metadata.tables if f"`{name}`" not in told] == []
