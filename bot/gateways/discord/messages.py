"""Discord's messages as ours: who said what where, with mentions by name. Pure, but for the library's types."""

import re

import discord

from bot.gateway import IncomingMessage
from bot.gateways.discord.allowlist import is_private, surroundings

_ORDINARY = (discord.MessageType.default, discord.MessageType.reply)
_CUSTOM_EMOJI = re.compile(r"<a?(:\w{2,32}:)\d{15,21}>")


def parse_message(message: discord.Message, me: discord.ClientUser) -> IncomingMessage | None:
    """Return a Discord message in our form; None for a notice of Discord's own."""
    author, channel = message.author, message.channel
    if message.type not in _ORDINARY:
        return None
    link = message.reference if message.type == discord.MessageType.reply else None
    answered = link.resolved if link else None
    return IncomingMessage(
        channel=f"discord:{channel.id}",
        message_id=str(message.id),
        author_id=str(author.id),
        author_name=author.display_name,
        text=_text(message, me),
        at=message.created_at.timestamp(),
        is_dm=is_private(channel),
        mention=_mentions_us(message, me),
        reply=isinstance(answered, discord.Message) and answered.author == me,
        reply_to=str(link.message_id) if link and link.message_id and link.channel_id == channel.id else "",
        attachments=tuple(_attachment_type(attachment.content_type or "") for attachment in message.attachments)
        + tuple(f"sticker {sticker.name}" for sticker in message.stickers),
        inside=surroundings(channel),
        is_bot=author.bot,
    )


def number_of(channel: str) -> int:
    """Return Discord's id of a channel called `discord:ID`."""
    return int(channel.split(":")[1])


def _mentions_us(message: discord.Message, me: discord.ClientUser) -> bool:
    """Whether we, or our role, are mentioned. A reply counts as a mention of whom it answers; from a bot it doesn't: two
    bots that answer each other never stop."""
    if message.author.bot:
        return re.search(rf"<@!?{me.id}>", message.content) is not None
    return me in message.mentions or _role_mentions_us(message)


def _role_mentions_us(message: discord.Message) -> bool:
    """Return whether the role that Discord makes for a bot was mentioned; to people it looks like the bot."""
    mine = message.guild.me.roles if message.guild else []
    return any(role.is_bot_managed() and role in mine for role in message.role_mentions)


def _text(message: discord.Message, me: discord.ClientUser) -> str:
    """Return the text with mentions by name, and without our own at its start."""
    text = re.sub(rf"^\s*<@!?{me.id}>[\s,:]*", "", message.content)
    names = {member.id: member.display_name for member in message.mentions}
    text = re.sub(r"<@!?(\d+)>", lambda match: _named("@", names.get(int(match[1])), match[0]), text)
    for place in (*message.channel_mentions, *message.role_mentions):
        sign = "@&" if isinstance(place, discord.Role) else "#"
        text = text.replace(f"<{sign}{place.id}>", f"{sign[0]}{place.name}")
    return _CUSTOM_EMOJI.sub(r"\1", text)


def _named(sign: str, name: str | None, otherwise: str) -> str:
    return otherwise if name is None else f"{sign}{name}"


def _attachment_type(content_type: str) -> str:
    start = content_type.partition("/")[0]
    return {"image": "photo", "video": "video", "audio": "voice"}.get(start, "file")
