"""The sample that comes with alterego: where its settings and exports lie, and what its settings are once copied."""

from pathlib import Path

SETTINGS = "persona.toml"
EXPORTS = Path("examples") / "exports"  # below the folder of the copied settings


def sample_folder() -> Path:
    """Return the folder that holds `examples`: inside the installed package, or the checkout that this file is in."""
    root = Path(__file__).parents[1]
    packaged = root / "alterego" / "sample"
    return packaged if packaged.is_dir() else root


def copied_settings() -> str:
    """Return the sample's settings as they read beside a folder `examples`."""
    from persona.settings_file import SettingsDocument

    document = SettingsDocument((sample_folder() / "examples" / SETTINGS).read_text(encoding="utf-8"))
    document.set("data", "sources", [EXPORTS.as_posix()])
    return document.text


def is_copy(path: Path) -> bool:
    """Return whether these settings are the sample's, as they were copied: nobody has changed a letter."""
    try:
        return path.read_text(encoding="utf-8") == copied_settings()
    except (OSError, UnicodeDecodeError):
        return False
