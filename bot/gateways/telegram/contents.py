"""What a message on Telegram holds: words with people by name, and what is not words. Pure, but for the library's types."""

from collections.abc import Sequence

from telegram import ExternalReplyInfo, Message, MessageEntity

from bot.gateways.telegram.authors import UserNames

_MEDIA = {  # of the library's fields, as the corpus calls them; in a message only one is there
    "photo": "photo",
    "voice": "voice",
    "video": "video",
    "video_note": "video",
    "live_photo": "photo",
    "animation": "gif",
    "audio": "audio",
    "document": "file",
    "paid_media": "photo",
    "contact": "contact",
    "story": "video",
}

Holder = Message | ExternalReplyInfo


def attachments_of(message: Holder) -> tuple[str, ...]:
    """Return the kind of what is attached; none for what carries words of its own, see `captioned_of`."""
    if message.sticker:
        return (f"sticker {message.sticker.emoji}" if message.sticker.emoji else "sticker",)
    order = ["animation", *_MEDIA]  # an animation is a document too, for older clients
    return next(((_MEDIA[name],) for name in order if getattr(message, name, None)), ())


def captioned_of(message: Holder) -> tuple[tuple[str, str], ...]:
    """Return what is attached and carries words: a poll, a place, dice, a game."""
    if message.poll:
        return (("poll", " | ".join((message.poll.question, *(option.text for option in message.poll.options)))),)
    if message.checklist:
        return (("poll", " | ".join((message.checklist.title, *(task.text for task in message.checklist.tasks)))),)
    if message.venue:
        return (("location", message.venue.title),)
    if message.location:
        return (("location", ""),)
    if message.dice:
        return (("dice", f"{message.dice.emoji} {message.dice.value}"),)
    titled = message.game or message.invoice
    return (("embed", titled.title),) if titled else ()


def text_of(message: Message, names: UserNames) -> str:
    """Return the text or caption, with people by name."""
    text = message.text or message.caption or ""
    return with_names(text, message.entities or message.caption_entities, names)


def with_names(text: str, entities: Sequence[MessageEntity], names: UserNames) -> str:
    """Return a text in which "@user" and a linked name are "@" and what that person is called."""
    units = text.encode("utf-16-le", "surrogatepass")  # in which Telegram counts
    for entity in sorted(entities, key=lambda entity: -entity.offset):
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        said = units[start:end].decode("utf-16-le", "replace")
        name = ""
        if entity.type == MessageEntity.MENTION:
            name = names.name_of(said.removeprefix("@"))
        elif entity.type == MessageEntity.TEXT_MENTION and entity.user:
            name = entity.user.full_name or said
        if name:
            units = units[:start] + f"@{name}".encode("utf-16-le", "surrogatepass") + units[end:]
    return units.decode("utf-16-le", "replace")
