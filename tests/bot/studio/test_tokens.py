"""Tokens that are typed into the page."""

import pytest

from bot.studio.tokens import keep_token
from persona.config import load
from persona.credentials import secret
from persona.errors import SettingsError
from persona.platforms import PLATFORMS
from tests.conftest import Home

DISCORD_ROW, TELEGRAM_ROW = PLATFORMS
TELEGRAM = "123456789:" + "A" * 35
DISCORD = f"{'M' * 24}.{'x' * 6}.{'_' * 27}"


def test_a_token_is_kept_for_its_owner_and_its_platform_switched_on(bare_home: Home) -> None:
    """Another line of .env stays; a second token replaces the first."""
    environment = bare_home.folder / ".env"
    environment.write_text("HF_TOKEN=hf_abc\n", encoding="utf-8")
    for token in (TELEGRAM, TELEGRAM.replace("A", "B")):
        keep_token(bare_home.config, "telegram", f" {token}\n")
    assert environment.read_text("utf-8") == f"HF_TOKEN=hf_abc\nTELEGRAM_TOKEN={TELEGRAM.replace('A', 'B')}\n"
    assert environment.stat().st_mode & 0o777 == 0o600
    settings = load(bare_home.config)
    assert settings.section_of(TELEGRAM_ROW).enabled
    assert not settings.section_of(DISCORD_ROW).enabled
    assert secret("TELEGRAM_TOKEN", settings, {}) == TELEGRAM.replace("A", "B")
    assert "AAAA" not in bare_home.config.read_text("utf-8")


@pytest.mark.parametrize(("platform", "token"), [("discord", TELEGRAM), ("telegram", DISCORD), ("discord", "")])
def test_what_is_no_token_is_not_written(bare_home: Home, platform: str, token: str) -> None:
    """And the sentence does not repeat it."""
    with pytest.raises(SettingsError, match="no token") as refusal:
        keep_token(bare_home.config, platform, token)
    assert not (bare_home.folder / ".env").exists()
    assert not token or token not in str(refusal.value)


def test_a_token_of_discord_is_one(bare_home: Home) -> None:
    """Three parts."""
    keep_token(bare_home.config, "discord", DISCORD)
    assert load(bare_home.config).section_of(DISCORD_ROW).enabled
