"""Handing a text over to the daemon, as a row of the outbox. Knows nothing of Gradio."""

import re
import secrets

from bot.gateway import Limits
from bot.store import HANDED_IN, BotStore
from bot.studio.streaming import Lines
from bot.talk import delivery
from persona.config import TARGET
from persona.errors import UserError


async def hand_in(store: BotStore, target: str, lines: Lines) -> None:
    """Put a tweet into the outbox of `target` ("discord:CHANNEL", "telegram:CHAT"), and keep it from being said again.
    Raises UserError where it can't go there."""
    if not re.match(TARGET, target):
        raise UserError(f"{target!r} is no place to send to; write discord:CHANNEL_ID or telegram:CHAT_ID")
    platform = target.partition(":")[0]
    accounts = await store.channels.accounts(platform)
    if not accounts:
        raise UserError(
            f"the bot was never on {platform.title()}, so nobody would send this; run 'python -m bot run' once"
        )
    parts = delivery.posts(lines, _limits(platform), bursts=False)
    channel = (await store.channels.moves(accounts[0])).get(target, target)
    await store.outbox.put(accounts[0], channel, f"{HANDED_IN}{secrets.token_hex(8)}", parts)
    await store.timetable.keep("\n".join(lines))


def _limits(platform: str) -> Limits:
    """What fits into a post there. The platforms' libraries take a while to load, and few send from here."""
    if platform == "discord":
        from bot.gateways.discord.gateway import DiscordGateway

        return DiscordGateway.limits
    from bot.gateways.telegram.gateway import TelegramGateway

    return TelegramGateway.limits
