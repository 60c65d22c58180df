"""Discord's messages as ours: who said what where, in answer to what, with mentions by name. Pure, but for the library's
types."""

import re
from collections.abc import Iterable, Iterator

import discord

from bot.gateway import Author, IncomingMessage, QuotedMessage
from bot.gateways.discord.allowlist import is_private, surroundings
from bot.gateways.discord.proxies import is_reply_embed, member_of, proxied_reply

_ORDINARY = (discord.MessageType.default, discord.MessageType.reply)
_CUSTOM_EMOJI = re.compile(r"<a?(:\w{2,32}:)\d{15,21}>")
_USER = re.compile(r"<@!?(\d+)>")
_LONGEST_EMBED = 200  # characters of one that are told

Content = discord.Message | discord.MessageSnapshot


def parse_message(message: discord.Message, me: discord.ClientUser) -> IncomingMessage | None:
    """Return a Discord message in our form; None for a notice of Discord's own."""
    if message.type not in _ORDINARY:
        return None
    author, quoted = author_of(message), _quoted(message, me)
    content = _content_of(message)
    text = re.sub(rf"^\s*<@!?{me.id}>[\s,:]*", "", content.content)
    return IncomingMessage(
        channel=f"discord:{message.channel.id}",
        message_id=str(message.id),
        author_id=author.id,
        author_name=author.name,
        text=_readable(text, message, me),
        at=message.created_at.timestamp(),
        is_dm=is_private(message.channel),
        mention=_mentions_us(message, me),
        reply=quoted is not None and quoted.author.id == str(me.id),
        reply_to=quoted.message_id if quoted else "",
        attachments=_attachments(content),
        inside=surroundings(message.channel),
        is_bot=message.author.bot and member_of(message) is None,
        captioned=_captioned(content),
        quoted=quoted,
        forwarded_from=None if content is message else Author(),  # Discord doesn't tell whose it was
        is_named_here=not message.guild or not isinstance(message.author, discord.User) or bool(message.webhook_id),
    )


def _content_of(message: discord.Message) -> Content:
    """Return what holds the words of a message: itself, or what it passes on."""
    return message if message.content or not message.message_snapshots else message.message_snapshots[0]


def author_of(message: discord.Message) -> Author:
    """Return who wrote a message, also through a bot that posts for people."""
    return member_of(message) or Author(str(message.author.id), message.author.display_name)


def number_of(channel: str) -> int:
    """Return Discord's id of a channel called `discord:ID`."""
    return int(channel.split(":")[1])


def _mentions_us(message: discord.Message, me: discord.ClientUser) -> bool:
    """Whether we, or our role, are mentioned. A reply counts as a mention of whom it answers; from a bot it doesn't: two
    bots that answer each other never stop."""
    if message.author.bot:
        return re.search(rf"<@!?{me.id}>", message.content) is not None
    return me in message.mentions or _role_mentions_us(message)


def _quoted(message: discord.Message, me: discord.ClientUser) -> QuotedMessage | None:
    """What a message answers. Discord hands its text over, but not always: then its id alone is known."""
    reference = message.reference
    if reference is None or message.type is not discord.MessageType.reply:
        return proxied_reply(message, me) if message.webhook_id else None
    number = str(reference.message_id or "") if reference.channel_id == message.channel.id else ""
    answered = reference.resolved
    if isinstance(answered, discord.Message):
        content, author = _content_of(answered), author_of(answered)
        text = _readable(content.content, answered, me)
        said = (text, _attachments(content), _captioned(content))
        if content is answered:
            return QuotedMessage(number, author, *said)
        return QuotedMessage(number, Author(), *said, forwarder_id=author.id)
    return QuotedMessage(number) if number and answered is None else None  # else it was deleted


def _role_mentions_us(message: discord.Message) -> bool:
    """Whether the role that Discord makes for a bot was mentioned; to people it looks like the bot."""
    mine = message.guild.me.roles if message.guild else []
    return any(role.is_bot_managed() and role in mine for role in message.role_mentions)


def _readable(text: str, message: discord.Message, me: discord.ClientUser) -> str:
    """The text with people, channels, roles and emoji by name."""
    names = {me.id: me.display_name, **{member.id: member.display_name for member in message.mentions}}
    text = _USER.sub(lambda match: f"@{names.get(int(match[1]), 'somebody')}", text)
    for place in (*message.channel_mentions, *message.role_mentions):
        sign = "@&" if isinstance(place, discord.Role) else "#"
        text = text.replace(f"<{sign}{place.id}>", f"{sign[0]}{place.name}")
    return _CUSTOM_EMOJI.sub(r"\1", text)


def _attachments(content: Content) -> tuple[str, ...]:
    files = (
        "voice" if attachment.is_voice_message() else _attachment_type(attachment.content_type or "")
        for attachment in content.attachments
    )
    return (*files, *(f"sticker {sticker.name}" for sticker in content.stickers))


def _captioned(content: Content) -> tuple[tuple[str, str], ...]:
    """Polls, and embeds and panels that somebody made; the preview of a link only repeats the link."""
    poll = getattr(content, "poll", None)
    polls = [("poll", " | ".join((poll.question, *(answer.text or "" for answer in poll.answers))))] if poll else []
    panels = "\n".join(_panel_texts(getattr(content, "components", ())))  # not set where Discord left them out
    return (*polls, *_embeds(content.embeds), *([("embed", panels[:_LONGEST_EMBED])] if panels else []))


def _embeds(embeds: Iterable[discord.Embed]) -> list[tuple[str, str]]:
    made = (embed for embed in embeds if embed.type == "rich" and not is_reply_embed(embed))
    return [("embed", _embed_text(embed)[:_LONGEST_EMBED]) for embed in made]


def _embed_text(embed: discord.Embed) -> str:
    fields = (f"{field.name} {field.value}" for field in embed.fields)
    return ": ".join(filter(None, (embed.title, embed.description, *fields)))


def _panel_texts(components: Iterable[discord.Component]) -> Iterator[str]:
    """Yield the words of what bots lay out in panels, which have no text besides; buttons and menus say nothing."""
    for component in components:
        if isinstance(component, discord.TextDisplay):
            yield component.content
        elif isinstance(component, discord.Container | discord.SectionComponent):
            yield from _panel_texts(component.children)


def _attachment_type(content_type: str) -> str:
    if content_type == "image/gif":
        return "gif"
    start = content_type.partition("/")[0]
    return {"image": "photo", "video": "video", "audio": "audio"}.get(start, "file")
