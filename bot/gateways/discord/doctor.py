"""What stands against speaking on Discord: token, intents, permissions in each channel. Asked over REST alone."""

from collections.abc import Sequence

import aiohttp
import discord

from bot.gateway import Finding
from persona.platforms import Discord

_NEEDED = ("view_channel", "send_messages", "read_message_history")
_PORTAL = "discord.com/developers/applications"


async def examine(settings: Discord, token: str) -> Sequence[Finding]:
    """The findings, one a check."""
    client = discord.Client(intents=discord.Intents.none())
    try:
        await client.login(token)
        return [
            Finding("discord token", True, f"speaks as {client.user}"),
            await _intents(client),
            *await _channels(client, settings),
        ]
    except discord.LoginFailure:
        mend = f"put the bot's token into DISCORD_TOKEN ({_PORTAL}, Bot, Reset Token)"
        return [Finding("discord token", False, "Discord refused it", mend)]
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        mend = "look at the network, and at [discord] api_base"
        return [Finding("discord", False, f"can't be reached ({type(error).__name__})", mend)]
    finally:
        await client.close()


async def _intents(client: discord.Client) -> Finding:
    flags = (await client.application_info()).flags
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return Finding("discord intents", True, "message content is on")
    mend = f"switch on Message Content Intent under Bot at {_PORTAL}"
    return Finding("discord intents", False, "message content is off: ordinary text arrives empty", mend)


async def _channels(client: discord.Client, settings: Discord) -> list[Finding]:
    """What is missing in each channel it should hear; one finding for all where nothing is."""
    findings: list[Finding] = []
    seen: set[str] = set()
    async for guild in client.fetch_guilds():
        full = await client.fetch_guild(guild.id)
        assert client.user
        me = await full.fetch_member(client.user.id)
        for channel in await full.fetch_channels():
            if not isinstance(channel, discord.TextChannel):
                continue
            seen.add(str(channel.id))
            if not settings.channels or str(channel.id) in settings.channels:
                findings += _missing(channel, me)
    findings += [
        Finding(
            "discord channel",
            False,
            f"{channel_id} is in no server of the bot",
            "mend [discord] channels, or invite it",
        )
        for channel_id in settings.channels
        if channel_id not in seen
    ]
    if not seen:
        return [Finding("discord servers", False, "the bot is in none", f"open its install link ({_PORTAL})")]
    return findings or [Finding("discord permissions", True, f"all there in {len(seen)} channels")]


def _missing(channel: discord.TextChannel, me: discord.Member) -> list[Finding]:
    allowed = channel.permissions_for(me)
    missing = [name.replace("_", " ") for name in _NEEDED if not getattr(allowed, name)]
    if not missing:
        return []
    mend = "give them to the bot's role in the channel's settings, or leave the channel out of [discord] channels"
    return [Finding("discord permissions", False, f"#{channel.name} ({channel.id}): no {', '.join(missing)}", mend)]
