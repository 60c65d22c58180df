"""From persona's PLATFORMS to gateways. Each platform's folder in bot/gateways has a `LIMITS` and an `open_gateway`."""

from importlib import import_module
from typing import Any

from bot.gateway import Gateway, Limits
from persona.config import Settings
from persona.credentials import secret
from persona.errors import PermanentError, SettingsError
from persona.platforms import NAMES


def gateways_of(settings: Settings) -> list[Gateway]:
    """Return the gateways that the settings enable. Raises SettingsError if there is none, PermanentError without a
    token."""
    gateways: list[Gateway] = [
        _package(platform.name).open_gateway(settings, _token(platform.token, settings))
        for platform in settings.enabled_platforms
    ]
    if not gateways:
        sections = " or ".join(f"[{name}]" for name in NAMES)
        raise SettingsError(
            f"nowhere to speak: set enabled = true under {sections} in {settings.path.name}, "
            "or run 'python -m bot chat'"
        )
    return gateways


def limits_of(platform: str) -> Limits:
    """Return what fits into a post there. Loads nothing of the platform's library."""
    limits: Limits = _package(platform).LIMITS
    return limits


def _package(platform: str) -> Any:
    return import_module(f"bot.gateways.{platform}")


def _token(name: str, settings: Settings) -> str:
    token = secret(name, settings)
    if not token:
        raise PermanentError(
            f"{name} is not set; put it into the environment or into {settings.root / '.env'} (mode 0600)"
        )
    return token
