"""Where tweets go on Discord: into a channel or a thread; in a forum each opens a thread; a category takes none."""

import logging
from collections.abc import Sequence

import discord

from bot.gateway import OutgoingMessage
from bot.gateways.discord.messages import number_of
from persona.events import Event

log = logging.getLogger("alterego.discord")

LONGEST_TITLE = 80  # characters of a text that make a thread's name; Discord takes 100


def warn_of_targets(client: discord.Client, targets: Sequence[str]) -> None:
    """Say at once, and not when a tweet is due, which targets take no posts."""
    for target in targets:
        if isinstance(client.get_channel(number_of(target)), discord.CategoryChannel):
            hint = "name a channel, a thread or a forum in it in [tweets] to"
            log.error(Event("target is a category, which takes no posts", channel=target, hint=hint))


async def open_thread(forum: discord.ForumChannel, message: OutgoingMessage) -> discord.Message:
    """Post into a forum: a thread that begins with the message."""
    opened = await forum.create_thread(
        name=_title(message.text),
        content=message.text,
        applied_tags=forum.available_tags[:1] if forum.flags.require_tag else [],
        allowed_mentions=discord.AllowedMentions.none(),
    )
    return opened.message


def find_thread(forum: discord.ForumChannel, message: OutgoingMessage, own_id: int) -> str | None:
    """Return the id of our thread that begins with the message; Discord knows no nonce for threads."""
    ours = (thread for thread in forum.threads if thread.owner_id == own_id)
    return next((str(thread.id) for thread in ours if thread.name == _title(message.text)), None)


def _title(text: str) -> str:
    line = text.split("\n")[0].strip()
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"
