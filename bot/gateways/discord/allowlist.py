"""Whom and where on Discord it listens to, by [discord]."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.gateways.discord.proxies import member_of
from persona.platforms import Discord


def is_welcome(message: discord.Message, settings: Discord, owners: set[str]) -> bool:
    """Whether the settings let a message in. owners: ids of the people who may always write to it."""
    author, number = message.author, str(message.author.id)
    is_proxied = member_of(message) is not None
    is_stranger = message.webhook_id or (author.bot and number not in settings.bots)
    if is_blocked(author, settings) or (is_stranger and not is_proxied):
        return False
    if is_private(message.channel):
        is_known = number in settings.users or number in owners
        return is_known or (settings.strangers_may_write and not settings.users)
    by_name = not settings.users or number in settings.users or author.bot
    return by_name and listens_in(message.channel, settings)


def is_private(channel: Any) -> bool:
    """Whether it is a channel of no server."""
    return isinstance(channel, discord.DMChannel | discord.GroupChannel)


def is_blocked(author: discord.abc.User, settings: Discord) -> bool:
    """Whether somebody, or a role of theirs, is blocked."""
    roles = [int(number) for number in settings.block if number.isdecimal()] if hasattr(author, "get_role") else []
    return str(author.id) in settings.block or any(author.get_role(number) for number in roles)  # type: ignore[attr-defined]


def listens_in(channel: Any, settings: Discord) -> bool:
    """Whether the settings let it listen in a channel of a server; a thread is part of its channel."""
    here = {str(channel.id), str(getattr(channel, "parent_id", None) or "")}
    guild = getattr(channel, "guild", None)
    in_guild = not settings.guilds or (guild is not None and str(guild.id) in settings.guilds)
    return in_guild and (not settings.channels or bool(here & set(settings.channels)))


def surroundings(channel: Any) -> tuple[str, ...]:
    """Return what a channel lies in: a thread's channel, then the server."""
    guild = getattr(channel, "guild", None)
    numbers = (getattr(channel, "parent_id", None), guild and guild.id)
    return tuple(f"discord:{number}" for number in numbers if number)


def owners_of(client: discord.Client, settings: Discord) -> set[str]:
    """Return the ids of the owners: by the settings, else the application's owner or team."""
    if settings.owners or not (application := client.application):
        return set(settings.owners)
    people = application.team.members if application.team else [application.owner]
    return {str(person.id) for person in people}


async def fetch_roles(messages: Sequence[discord.Message], settings: Discord) -> None:
    """Ask for the roles of authors, where roles may be blocked: history doesn't tell them. Raises as requests do."""
    members: dict[int, discord.Member | discord.User] = {}
    for message in messages:
        guild, author = message.guild, message.author
        if not guild or not isinstance(author, discord.User) or message.webhook_id or str(author.id) in settings.block:
            continue
        if not any(guild.get_role(int(number)) for number in settings.block if number.isdecimal()):
            continue
        if author.id not in members:
            try:
                members[author.id] = await guild.fetch_member(author.id)
            except discord.NotFound:  # has left the server
                members[author.id] = author
        message.author = members[author.id]
