"""A message of Telegram Desktop's result.json: its fields, and what is in them. Not a source."""

from collections.abc import Sequence
from typing import Any

import msgspec

from trainer.sources.parsing.telegram_rich import plain

_MEDIA = {
    "sticker": "sticker",
    "voice_message": "voice",
    "video_message": "video",
    "video_file": "video",
    "animation": "gif",
    "audio_file": "audio",
}
_THINGS = {
    "photo": "photo",
    "file": "file",
    "poll": "poll",
    "todo_list": "checklist",
    "location_information": "location",
    "place_name": "location",
    "contact_information": "contact",
    "game_title": "game",
    "paid_stars_amount": "paid media",
    "invoice_information": "invoice",
    "giveaway_information": "giveaway",
}
UNSET = msgspec.UNSET  # where a key is not in the file at all


class TelegramEntity(msgspec.Struct, gc=False):
    """A stretch of formatted text."""

    type: str = "plain"
    text: str = ""
    user_id: str | int | None = None


class _Reactor(msgspec.Struct, gc=False):
    name: str | None = msgspec.field(name="from", default=None)
    from_id: str | int | None = None


class TelegramReaction(msgspec.Struct, gc=False):
    """An emoji under a message, and who gave it, as far as the file says."""

    emoji: str = ""
    recent: list[_Reactor] = []


class TelegramRow(msgspec.Struct, gc=False):
    """A row of `messages`."""

    id: int
    type: str = "message"
    date: str = ""
    date_unixtime: float | None = None
    edited_unixtime: float | None = None
    action: str = ""
    title: str | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    from_id: str | int | None = None
    text: str | list[str | TelegramEntity] | None = ""
    text_entities: list[TelegramEntity] = []
    rich_message: dict[str, Any] | None = None
    forwarded_from: str | msgspec.UnsetType | None = UNSET
    via_bot: str | None = None
    reply_to_message_id: int | None = None
    reply_to_peer_id: str | int | None = None
    photo: str | None = None
    media_type: str | None = None
    sticker_emoji: str | None = None
    file: str | None = None
    poll: dict[str, Any] | None = None
    todo_list: dict[str, Any] | None = None
    location_information: dict[str, Any] | None = None
    place_name: str | None = None
    contact_information: dict[str, Any] | None = None
    game_title: str | None = None
    paid_stars_amount: int | None = None
    invoice_information: dict[str, Any] | None = None
    giveaway_information: dict[str, Any] | None = None
    reactions: list[TelegramReaction] | None = None


def mentions_of(entities: Sequence[TelegramEntity]) -> tuple[tuple[str, str], ...]:
    """Return the id and the name of everybody mentioned."""
    return tuple(
        [
            (f"user{part.user_id}" if part.user_id else "", part.text.removeprefix("@"))
            for part in entities
            if part.type in ("mention", "mention_name")
        ]
    )


def reactions_of(reactions: Sequence[TelegramReaction]) -> tuple[tuple[str, ...], ...]:
    """Return who reacted with what; an emoji of somebody's own making has no character."""
    return tuple(
        (reaction.emoji, str(person.from_id or ""), person.name or "")
        for reaction in reactions
        if reaction.emoji
        for person in reaction.recent
        if person.from_id or person.name
    )


def unquoted(entities: Sequence[TelegramEntity]) -> dict[str, str]:
    """Text and quotation apart."""
    quoted = "\n".join(part.text.strip() for part in entities if part.type == "blockquote")
    own = "".join(part.text for part in entities if part.type != "blockquote").strip()
    return {"text": own or quoted, "quoted_text": quoted}


def words_of_thing(row: TelegramRow) -> str:
    """Return what somebody wrote into a poll or a checklist."""
    if row.poll:
        options = row.poll.get("answers") or ()
        return "\n".join([plain(row.poll.get("question")), *(plain(option.get("text")) for option in options)])
    return plain(row.todo_list.get("title")) if row.todo_list else ""


def things_of(row: TelegramRow) -> tuple[str, ...]:
    """Return the attachment of a row without a media type, such as a poll or a place."""
    return next(((thing,) for field, thing in _THINGS.items() if getattr(row, field) is not None), ())


def text_of(row: TelegramRow) -> str:
    """Return the text of a row, without its formatting."""
    if row.text_entities:
        return "".join([part.text for part in row.text_entities])
    if isinstance(row.text, str):
        return row.text
    return "".join([part if isinstance(part, str) else part.text for part in row.text or ()])


def attachments_of(row: TelegramRow) -> tuple[str, ...]:
    """Return the media of a row."""
    if row.media_type == "sticker":
        return (f"sticker {row.sticker_emoji}".strip() if row.sticker_emoji else "sticker",)
    if row.media_type:
        return (_MEDIA.get(row.media_type, "file"),)
    return ("photo",) if row.photo else ("file",) if row.file else ()
