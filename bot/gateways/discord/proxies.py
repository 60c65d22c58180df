"""Bots that post for people: PluralKit and Tupperbox take a message back and post it again, by a webhook, under the name of
one of several members. What the webhook and the embed of a reply tell is all we know of them; nobody is asked."""

import re

import discord

from bot.gateway import Author, QuotedMessage

APPLICATIONS = (466378653216014359, 431544605209788416)  # PluralKit, Tupperbox
_ARROW = "\u21a9"  # stands behind the name of whom a reply answers
_LINK = re.compile(
    r"\*{1,2}\[\(?(?:Reply to|click to see)[^\]]*\]\(\S*?/channels/(?:\d+|@me)/(\d+)/(\d+)\)\*{1,2}\s*(.*)", re.DOTALL
)


def member_of(message: discord.Message) -> Author | None:
    """Return the member who speaks through a webhook of such a bot; None for any other message. They have no account: who
    bears the same name is the same person."""
    if not message.webhook_id or message.application_id not in APPLICATIONS:
        return None
    name = message.author.name
    return Author(f"proxied:{name.casefold()}", name)


def proxied_reply(message: discord.Message, me: discord.ClientUser) -> QuotedMessage | None:
    """Return what a member answers: a webhook can't, so the bot shows it in an embed, with a link and the first words."""
    for embed in message.embeds:
        match = _LINK.match(embed.description or "")
        if match and is_reply_embed(embed):
            name = str(embed.author.name).partition(_ARROW)[0].strip()
            is_own = name in (me.display_name, me.name)
            number = match[2] if int(match[1]) == message.channel.id else ""
            return QuotedMessage(number, Author(str(me.id) if is_own else "", name), match[3])
    return None


def is_reply_embed(embed: discord.Embed) -> bool:
    """Whether an embed shows what a member answers."""
    return _ARROW in (embed.author.name or "")
