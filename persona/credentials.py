"""Secrets: from systemd's credentials, the environment, or a `.env` beside the settings. Never from persona.toml."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from persona.config import Settings
from persona.errors import SettingsError
from persona.platforms import PLATFORMS

NAMES = (*(platform.token for platform in PLATFORMS), "STORE_URL", "ENGINE_API_KEY", "RIVAL_API_KEY", "HF_TOKEN")


def secret(name: str, settings: Settings, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the secret called `name` (one of NAMES), or None. `$CREDENTIALS_DIRECTORY/discord_token` goes before the
    environment, the environment before `.env`. Raises SettingsError for a `.env` that others can read."""
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        credential = Path(folder) / name.lower()
        if credential.is_file() and (value := credential.read_text("utf-8").strip()):
            return value
    if value := environ.get(name, "").strip():
        return value
    return (_dotenv(settings.root / ".env").get(name) or "").strip() or None


def _dotenv(path: Path) -> Mapping[str, str | None]:
    if not path.is_file():
        return {}
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path} can be read by others; run 'chmod 600 {path}'")
    return dotenv_values(path, interpolate=False)
