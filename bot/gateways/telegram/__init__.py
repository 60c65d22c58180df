"""Telegram. The library takes a second to load: only when a gateway is opened."""

from bot.gateway import Gateway, Limits
from persona.config import Settings
from persona.platforms import Telegram

LIMITS = Limits(units=4096, idempotent_sends=False, markup="plain")


def open_gateway(settings: Settings, token: str) -> Gateway:
    """Return the gateway of one bot account, not yet connected."""
    from bot.gateways.telegram.gateway import TelegramGateway

    return TelegramGateway(settings.section(Telegram), token)
