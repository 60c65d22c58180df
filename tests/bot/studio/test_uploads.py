"""Files that were dropped on the page."""

from pathlib import Path

from bot.studio.uploads import sweep, take_in, unfinished_folder


def dropped(config: Path, name: str, text: str) -> Path:
    """A file as Gradio leaves it."""
    file = unfinished_folder(config) / "5f" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_moves_among_the_exports_and_replaces_none(tmp_path: Path) -> None:
    """For its owner's eyes; its endings stay, for they tell formats."""
    config = tmp_path / "persona.toml"
    assert take_in([dropped(config, "x.tar.gz", "one")], config) == ["exports/x.tar.gz"]
    assert take_in([dropped(config, "x.tar.gz", "two")], config) == ["exports/x-2.tar.gz"]
    assert (tmp_path / "exports" / "x.tar.gz").read_text("utf-8") == "one"
    assert (tmp_path / "exports" / "x-2.tar.gz").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "exports").stat().st_mode & 0o777 == 0o700


def test_what_was_never_taken_in_is_swept_away(tmp_path: Path) -> None:
    """Nor is it a fault if there is nothing."""
    config = tmp_path / "persona.toml"
    dropped(config, "half.zip", "h")
    sweep(config)
    assert list(tmp_path.iterdir()) == []
    sweep(config)
