"""Checks what keeps the bot from speaking on Discord: token, intents, permissions in each channel. Asks over REST alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import discord

from bot.gateway import Finding
from persona.platforms import Discord

_ALWAYS = ("view_channel", "send_messages_in_threads")
_THREADS = (10, 11, 12)  # Discord's channel types: of news, public, private
_MEND_CHANNELS = "mend [discord] channels, or invite it"
_MEND_TARGETS = "mend [tweets] to, or invite it"
_PORTAL = "discord.com/developers/applications"


async def examine(settings: Discord, token: str, targets: Sequence[str]) -> Sequence[Finding]:
    """Return the findings, one a check."""
    client = discord.Client(intents=discord.Intents.none())
    try:
        await client.login(token)
        return [
            Finding("discord token", True, f"speaks as {client.user}"),
            await _intents(client),
            *await _channels(client, settings, targets),
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


async def _channels(client: discord.Client, settings: Discord, targets: Sequence[str]) -> list[Finding]:
    """Return what is missing in each channel it reads or tweets in; one finding if nothing is."""
    channels: dict[str, _Place] = {}
    async for guild in client.fetch_guilds():
        full = await client.fetch_guild(guild.id)
        assert client.user
        me = await full.fetch_member(client.user.id)
        channels |= {str(channel.id): _Place(channel, me) for channel in await full.fetch_channels()}
    if not channels:
        return [Finding("discord servers", False, "the bot is in none", f"open its install link ({_PORTAL})")]
    listened = settings.channels or [
        number for number, place in channels.items() if isinstance(place.channel, discord.TextChannel)
    ]
    findings: list[Finding] = []
    for number in listened:
        findings += _channel_findings(number, await _place(client, channels, number))
    for target in targets:
        findings += _target_findings(target, await _place(client, channels, target.partition(":")[2]))
    return findings or [Finding("discord permissions", True, f"all there in {len({*listened, *targets})} channels")]


@dataclass(frozen=True, slots=True)
class _Place:
    """A channel, or the channel of a thread; and who the bot is there."""

    channel: discord.abc.GuildChannel
    me: discord.Member
    is_thread: bool = False

    def missing(self, *names: str) -> str:
        """Return those of the named permissions that the bot lacks."""
        allowed = self.channel.permissions_for(self.me)
        return ", ".join(name.replace("_", " ") for name in names if not getattr(allowed, name))


async def _place(client: discord.Client, channels: Mapping[str, _Place], number: str) -> _Place | None:
    """Return where an id leads: servers list their channels, not their threads. None if it leads nowhere."""
    if number in channels:
        return channels[number]
    try:
        data: Any = await client.http.get_channel(int(number))
    except (discord.NotFound, discord.Forbidden):
        return None
    parent = channels.get(str(data.get("parent_id", "")))
    return replace(parent, is_thread=True) if parent and data.get("type") in _THREADS else None


def _channel_findings(number: str, place: _Place | None) -> list[Finding]:
    """Return what keeps it from hearing and answering in a channel."""
    if place is None:
        return [Finding("discord channel", False, f"{number} is in no server of the bot", _MEND_CHANNELS)]
    name = f"#{place.channel.name} ({number})"
    if isinstance(place.channel, discord.CategoryChannel):
        mend = "name its channels in [discord] channels instead"
        return [Finding("discord channel", False, f"{name} is a category, in which nobody writes", mend)]
    only_threads = place.is_thread or isinstance(place.channel, discord.ForumChannel)
    missing = place.missing(*([] if only_threads else ["send_messages"]), "read_message_history", *_ALWAYS)
    mend = "give them to the bot's role in the channel's settings, or leave the channel out of [discord] channels"
    return [Finding("discord permissions", False, f"{name}: no {missing}", mend)] if missing else []


def _target_findings(target: str, place: _Place | None) -> list[Finding]:
    """Return what keeps it from tweeting in a channel or thread."""
    if place is None:
        return [Finding("discord target", False, f"{target} is in no server of the bot", _MEND_TARGETS)]
    name = f"#{place.channel.name} ({target})"
    if not place.is_thread and isinstance(place.channel, discord.CategoryChannel):
        mend = "name a channel, a thread or a forum in it in [tweets] to"
        return [Finding("discord target", False, f"{name} is a {place.channel.type}, which takes no posts", mend)]
    missing = place.missing("view_channel", "send_messages_in_threads" if place.is_thread else "send_messages")
    mend = "give them to the bot's role in the channel's settings, or mend [tweets] to"
    return [Finding("discord target", False, f"{name}: no {missing}", mend)] if missing else []
