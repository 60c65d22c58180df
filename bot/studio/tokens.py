"""A platform's token, written where only this user can read it. Knows nothing of Gradio."""

import re
from pathlib import Path

from persona.atomic import write_whole
from persona.config import load
from persona.errors import SettingsError
from persona.platforms import PLATFORMS
from persona.settings_file import SettingsDocument, save_settings


def keep_token(config: Path, platform: str, token: str) -> None:
    """Write a token into .env beside the settings, and switch its platform on. Raises SettingsError for what is none."""
    load(config)  # settings that are invalid are reported first
    row = next(row for row in PLATFORMS if row.name == platform)
    if not re.fullmatch(row.token_pattern, token.strip(), re.ASCII):
        raise SettingsError(f"this is no token of {row.title}: it has {row.token_shape}")
    name = row.token
    path = config.parent / ".env"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    others = [line for line in lines if not re.match(rf"\s*(export\s+)?{name}\s*=", line)]
    write_whole(path, [f"{line}\n" for line in (*others, f"{name}={token.strip()}")], mode=0o600)
    document = SettingsDocument(config.read_text(encoding="utf-8-sig"))
    document.set(platform, "enabled", True)
    save_settings(document.text, config)
