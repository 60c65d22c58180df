"""Secrets: where they come from, in which order, and when they are refused."""

from pathlib import Path

import pytest

from persona.config import Settings, load
from persona.credentials import secret
from persona.errors import SettingsError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "persona.toml").write_text('[persona]\nname = "Alice"\n')
    return load(tmp_path / "persona.toml", {})


def test_a_credential_goes_before_the_environment_and_that_before_the_file(settings: Settings, tmp_path: Path) -> None:
    """systemd's credentials are the most private."""
    dotenv = tmp_path / ".env"
    dotenv.write_text('DISCORD_TOKEN="from file"\n')
    dotenv.chmod(0o600)
    folder = tmp_path / "credentials"
    folder.mkdir()
    assert secret("DISCORD_TOKEN", settings, {}) == "from file"
    assert secret("DISCORD_TOKEN", settings, {"DISCORD_TOKEN": "from env"}) == "from env"
    (folder / "discord_token").write_text("from systemd\n")
    environ = {"DISCORD_TOKEN": "from env", "CREDENTIALS_DIRECTORY": str(folder)}
    assert secret("DISCORD_TOKEN", settings, environ) == "from systemd"
    assert secret("TELEGRAM_TOKEN", settings, environ) is None


def test_a_file_that_others_can_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    """With the command that mends it."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("DISCORD_TOKEN=x\n")
    dotenv.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        secret("DISCORD_TOKEN", settings, {})
