"""Slash commands on Discord: the common ones, answered to the asker alone."""

import logging
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from bot.gateway import COMMANDS, Command, CommandHelp, Intake, Right
from persona.events import Event
from persona.platforms import Discord

log = logging.getLogger("alterego.discord")


class SyncedCommandTree(app_commands.CommandTree[discord.Client]):
    """The commands on offer, synced to Discord once a process."""

    synced = False

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """The asker is left without an answer; Discord tells them."""
        cause = error.__cause__ or error
        log.warning(Event("command failed", kind=type(cause).__name__), exc_info=log.isEnabledFor(logging.DEBUG))

    async def sync_once(self) -> None:
        """Tell Discord which commands there are. A refusal (too often, no scope) leaves the old ones."""
        if not self.synced:
            try:
                await self.sync()
                self.synced = True
            except discord.HTTPException as refusal:
                log.warning(Event("commands can't be offered", status=refusal.status))


def offer_commands(client: discord.Client, settings: Discord, intake: Intake) -> SyncedCommandTree:
    """Return the common commands on a client."""
    tree = SyncedCommandTree(client)
    for known in COMMANDS:
        tree.add_command(_command(known, client, settings, intake))
    return tree


def _command(
    known: CommandHelp, client: discord.Client, settings: Discord, intake: Intake
) -> "app_commands.Command[Any, ..., None]":
    async def obey(interaction: discord.Interaction, argument: str = "") -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        right = await _right(interaction, client, settings)
        channel = f"discord:{interaction.channel_id}"
        is_dm = interaction.guild_id is None
        command = Command(channel, str(interaction.user.id), known.name, argument, right, is_dm, id=str(interaction.id))
        answer = await intake.commanded(command)
        await interaction.edit_original_response(content=answer[:2000], allowed_mentions=discord.AllowedMentions.none())

    async def without(interaction: discord.Interaction) -> None:
        await obey(interaction)

    async def with_argument(interaction: discord.Interaction, argument: str = "") -> None:
        await obey(interaction, argument)

    described: Callable[..., Any] = app_commands.describe(argument=known.argument)(with_argument)
    callback = described if known.argument else without
    made: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=known.name, description=known.summary, callback=callback
    )
    if known.right != "anyone":  # Discord's own default; checked again where the command is obeyed
        made.default_permissions = discord.Permissions(manage_messages=True)
    return made


async def _right(interaction: discord.Interaction, client: discord.Client, settings: Discord) -> Right:
    """Return the highest right of whoever asks. Without [discord] owners, the application's owner or team is it.
    Moderators have it where the bot is at home: anybody may invite a public bot into a server of their own."""
    owners = set(settings.owners)
    if not owners and (application := client.application):
        people = application.team.members if application.team else [application.owner]
        owners = {str(person.id) for person in people}
    if str(interaction.user.id) in owners:
        return "owner"
    moderates = interaction.guild_id and interaction.permissions.manage_messages
    return "moderator" if moderates and _is_home(interaction, settings) else "anyone"


def _is_home(interaction: discord.Interaction, settings: Discord) -> bool:
    """Return whether the settings let it speak there; a thread is part of its channel."""
    channels = {str(interaction.channel_id), str(getattr(interaction.channel, "parent_id", ""))}
    return not settings.channels or bool(channels & set(settings.channels))
