"""Slash commands on Discord: the common ones, answered to the asker alone."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands

from bot.gateway import COMMANDS, Command, CommandHelp, Intake, Right
from bot.gateways.discord.allowlist import listens_in, owners_of, surroundings
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
            except (
                LookupError,
                TypeError,
                ValueError,
            ) as error:  # an answer that the library can't parse: they are there
                self.synced = True
                log.warning(Event("offered commands can't be read", kind=type(error).__name__))


def offer_commands(client: discord.Client, settings: Discord, intake: Intake) -> SyncedCommandTree:
    """Return the common commands on a client."""
    tree = SyncedCommandTree(client)
    for known in COMMANDS:
        tree.add_command(_command(known, client, settings, intake))
    tree.add_command(_take_back(client, settings, intake))
    tree.add_command(_not_me(client, settings, intake))
    return tree


def _command(
    known: CommandHelp, client: discord.Client, settings: Discord, intake: Intake
) -> "app_commands.Command[Any, ..., None]":
    async def without(interaction: discord.Interaction) -> None:
        await _obey(interaction, client, settings, intake, known.name)

    async def with_argument(interaction: discord.Interaction, argument: str = "") -> None:
        await _obey(interaction, client, settings, intake, known.name, argument)

    described: Callable[..., Any] = app_commands.describe(argument=known.argument)(with_argument)
    callback = described if known.argument else without
    made: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=known.name, description=known.summary, callback=callback
    )
    if known.right != "anyone":  # Discord's own default; checked again where the command is obeyed
        made.default_permissions = discord.Permissions(manage_messages=True)
    return made


def _take_back(client: discord.Client, settings: Discord, intake: Intake) -> app_commands.ContextMenu:
    """The same as /takeback in the menu of a message, for that message."""

    async def take_back(interaction: discord.Interaction, message: discord.Message) -> None:
        await _obey(interaction, client, settings, intake, "takeback", target=str(message.id))

    return app_commands.ContextMenu(name="Take that back", callback=take_back)


def _not_me(client: discord.Client, settings: Discord, intake: Intake) -> app_commands.ContextMenu:
    """The same as /notme in the menu of a message; asks whoever may what they would have said."""

    async def not_me(interaction: discord.Interaction, message: discord.Message) -> None:
        target = str(message.id)

        async def say(submitted: discord.Interaction, words: str) -> None:
            await _obey(submitted, client, settings, intake, "notme", words, target)

        if _right(interaction, client, settings) == "owner":
            await interaction.response.send_modal(WordsInstead(say))
        else:
            await _obey(interaction, client, settings, intake, "notme", target=target)

    menu = app_commands.ContextMenu(name="Not me", callback=not_me)
    menu.default_permissions = discord.Permissions(manage_messages=True)
    return menu


class WordsInstead(discord.ui.Modal, title="I'd not say that"):
    """Asks what would have been right. on_words: called with that, "" for a bare refusal."""

    words: discord.ui.TextInput["WordsInstead"] = discord.ui.TextInput(
        label="I'd say", style=discord.TextStyle.paragraph, required=False, max_length=2000
    )

    def __init__(self, on_words: Callable[[discord.Interaction, str], Awaitable[None]]) -> None:
        super().__init__(timeout=3600)  # seconds; the library's default, never, would keep every one of them
        self._on_words = on_words

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Pass them on."""
        await self._on_words(interaction, self.words.value)


async def _obey(
    interaction: discord.Interaction,
    client: discord.Client,
    settings: Discord,
    intake: Intake,
    name: str,
    argument: str = "",
    target: str = "",
) -> None:
    """Pass a command on, and tell whoever gave it what came of it, and nobody else."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    command = Command(
        channel=f"discord:{interaction.channel_id}",
        author_id=str(interaction.user.id),
        name=name,
        argument=argument,
        right=_right(interaction, client, settings),
        is_dm=interaction.guild_id is None,
        id=str(interaction.id),
        inside=surroundings(interaction.channel),
        target=target,
    )
    answer = await intake.commanded(command)
    await interaction.edit_original_response(content=answer[:2000], allowed_mentions=discord.AllowedMentions.none())


def _right(interaction: discord.Interaction, client: discord.Client, settings: Discord) -> Right:
    """The highest right of whoever asks. Moderators have theirs where the bot is at home: anybody may invite a public bot
    into a server of their own."""
    if str(interaction.user.id) in owners_of(client, settings):
        return "owner"
    moderates = interaction.guild_id and interaction.permissions.manage_messages
    return "moderator" if moderates and listens_in(interaction.channel, settings) else "anyone"
