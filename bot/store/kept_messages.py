"""How a message is kept in memory: with what it answers, whose words it passes on, and the sticker that it showed."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from bot.store.database import written
from bot.store.inserts import insert_new, upsert
from bot.store.people import keep_participant
from bot.store.records import InboundMessage
from bot.store.schema import memory, stickers


def keep_message(write: sa.Connection, message: InboundMessage, **more: Any) -> None:
    """Remember a message, and what its author is called if that is news. more: columns of the row."""
    if message.name is not None:
        keep_participant(write, message)
    if message.sticker and message.sticker_id:
        place = {"account": message.account, "channel": message.channel, "name": message.sticker}
        upsert(write, stickers, {**place, "sticker_id": message.sticker_id, "at": message.at})
    known = {
        name: getattr(message, name) for name in ("account", "channel", "message_id", "author_id", "speaker", "at")
    }
    links = {name: getattr(message, name) for name in ("reply_to", "to_persona", "forwarded_author")}
    insert_new(write, memory, {**known, **links, **_quoted(write, message), "lines": written(message.lines), **more})


def _quoted(read: sa.Connection, message: InboundMessage) -> dict[str, str]:
    """The words that a message answers; none if they are remembered, unless it answers a part of them alone."""
    place = {"account": message.account, "channel": message.channel, "message_id": message.reply_to}
    if not message.quoted or (not message.is_part_quoted and message.reply_to and read.execute(_KNOWN, place).first()):
        return {"quoted_author": "", "quoted_speaker": "", "quoted": ""}
    return {
        "quoted_author": message.quoted_author,
        "quoted_speaker": message.quoted_speaker,
        "quoted": written(message.quoted),
    }


# On the way of every answer: put together once.
_KNOWN = sa.select(memory.c.id).where(
    memory.c.account == bindparam("account"),
    memory.c.channel == bindparam("channel"),
    memory.c.message_id == bindparam("message_id"),
)
