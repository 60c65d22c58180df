"""Discord. The library takes a second to load: only when a gateway is opened."""

from bot.gateway import Gateway, Limits
from persona.config import Settings
from persona.platforms import Discord

LIMITS = Limits(units=2000, idempotent_sends=True, markup="markdown")


def open_gateway(settings: Settings, token: str) -> Gateway:
    """Return the gateway of one bot account, not yet connected."""
    from bot.gateways.discord.gateway import DiscordGateway

    expires = settings.longest_expiry.total_seconds()
    targets = [target for target in settings.tweets.to if target.startswith("discord:")]
    return DiscordGateway(
        settings.section(Discord), token, feedback=settings.wants_feedback, expires=expires, targets=targets
    )
