"""Reactions on Discord as ours."""

import time

import discord

from bot.gateway import IncomingReaction

ReactionEvent = discord.RawReactionActionEvent | discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent


def parse_reaction(event: ReactionEvent, *, is_back: bool) -> IncomingReaction | None:
    """Return a reaction, or that it was taken back; None for those of bots, and of an emoji that is gone. Of one that is
    taken back Discord tells no name, of those that a moderator clears nobody."""
    emoji = getattr(event, "emoji", None)
    member = getattr(event, "member", None)
    if (emoji is not None and not emoji.name) or (member and member.bot):
        return None
    return IncomingReaction(
        channel=f"discord:{event.channel_id}",
        message_id=str(event.message_id),
        author_id=str(getattr(event, "user_id", "")),
        author_name=member.display_name if member else "",
        emoji="" if emoji is None else f":{emoji.name}:" if emoji.id else str(emoji.name),
        at=time.time(),
        is_back=is_back,
    )
