"""What was said in each channel, for the next answer."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from bot.store.database import columns, lines_of, written
from bot.store.inserts import insert_new
from bot.store.kept_messages import keep_message
from bot.store.outbox import HELD
from bot.store.records import REACTS, ChannelView, HistoryMessage, InboundMessage
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import IS_OWN, answers, filled, inbox, memory, outbox, participants, stickers


class Memory(Repository):
    """Messages by channel; no query spans two of them."""

    @reading
    def remembered(
        self, read: sa.Connection, account: str, channel: str, message_id: str, most: int
    ) -> list[HistoryMessage]:
        """Return the last messages of a channel up to `message_id`, oldest first; none if that was deleted."""
        place = {"account": account, "channel": channel, "message_id": message_id, "most": most}
        return _remembered(read.execute(_UP_TO, place))[::-1]

    @reading
    def following(
        self, read: sa.Connection, account: str, channel: str, message_id: str, most: int
    ) -> list[HistoryMessage]:
        """Return the messages of a channel after `message_id`, oldest first."""
        place = {"account": account, "channel": channel, "message_id": message_id, "most": most}
        return _remembered(read.execute(_AFTER, place))

    @reading
    def view(
        self, read: sa.Connection, account: str, channel: str, message_id: str, most: int, own: int, on: int
    ) -> ChannelView:
        """Return what an answer to a message is made of. most, own, on: at most so many messages up to it, of the persona's,
        and after it."""
        place = {"account": account, "channel": channel, "message_id": message_id, "most": most}
        messages = _remembered(read.execute(_UP_TO, place))[::-1]
        following = _remembered(read.execute(_AFTER, {**place, "most": on})) if on and messages else []
        return ChannelView(messages, following, _remembered(read.execute(_OWN, {**place, "most": own})))

    @reading
    def latest(self, read: sa.Connection, account: str, channel: str, most: int) -> list[HistoryMessage]:
        """Return the last messages of a channel, oldest first."""
        return _remembered(read.execute(_LATEST, {"account": account, "channel": channel, "most": most}))[::-1]

    @reading
    def own(self, read: sa.Connection, account: str, channel: str, most: int) -> list[HistoryMessage]:
        """Return the persona's last messages in a channel, newest first."""
        return _remembered(read.execute(_OWN, {"account": account, "channel": channel, "most": most}))

    @transaction
    def edit(self, write: sa.Connection, account: str, channel: str, message_id: str, lines: Sequence[str]) -> bool:
        """Replace the text of a message. Returns False if it isn't remembered."""
        here = _in(memory, account, channel)
        edited = memory.update().where(here & (memory.c.message_id == message_id)).values(lines=written(lines))
        is_known = bool(write.execute(edited).rowcount)
        quoted = here & (memory.c.reply_to == message_id) & (memory.c.quoted != "")
        write.execute(memory.update().where(quoted).values(quoted="" if is_known else written(lines)))
        return is_known

    @transaction
    def keep_quote(self, write: sa.Connection, message: InboundMessage) -> None:
        """Note what a remembered message answers, now that it is known."""
        which = _in(memory, message.account, message.channel) & (memory.c.message_id == message.message_id)
        names = ("quoted_author", "quoted_speaker")
        quoted = {name: getattr(message, name) for name in names} | {"quoted": written(message.quoted)}
        write.execute(memory.update().where(which).values(quoted))

    @reading
    def channel_of(self, read: sa.Connection, account: str, channel: str, message_id: str) -> str | None:
        """Return in which channel, or topic of it, a message is remembered; None if in none."""
        topic = memory.c.channel.startswith(f"{channel}:", autoescape=True)
        here = (memory.c.account == account) & ((memory.c.channel == channel) | topic)
        return read.execute(sa.select(memory.c.channel).where(here, memory.c.message_id == message_id)).scalar()

    @transaction
    def react(self, write: sa.Connection, reaction: InboundMessage) -> bool:
        """Remember a reaction. Returns False if what it is to isn't remembered."""
        target = _in(memory, reaction.account, reaction.channel) & (memory.c.message_id == reaction.reply_to)
        if write.execute(sa.select(memory.c.id).where(target)).first() is None:
            return False
        keep_message(write, reaction)
        return True

    @transaction
    def unreact(
        self, write: sa.Connection, account: str, channel: str, message_id: str, author_id: str = "", emoji: str = ""
    ) -> int:
        """Forget reactions to a message. author_id, emoji: "" for everybody's and for all. Returns how many went."""
        here = _in(memory, account, channel) & (memory.c.reply_to == message_id) & _IS_REACTION
        if author_id:
            here &= memory.c.author_id == author_id
        if emoji:
            here &= memory.c.message_id.endswith(f"/{emoji}", autoescape=True)
        return write.execute(memory.delete().where(here)).rowcount

    @reading
    def stickers(self, read: sa.Connection, account: str, channel: str) -> dict[str, str]:
        """Return the stickers that were seen in a channel: name -> id."""
        query = sa.select(stickers.c.name, stickers.c.sticker_id).where(_in(stickers, account, channel))
        return dict(read.execute(query).tuples().all())

    @transaction
    def delete(self, write: sa.Connection, account: str, channel: str, message_ids: Sequence[str]) -> None:
        """Forget messages; those that still wait for a verdict are declined."""
        ids = list(message_ids)
        here, answers_them = _in(memory, account, channel), memory.c.reply_to.in_(ids)
        write.execute(memory.delete().where(here, memory.c.message_id.in_(ids) | (answers_them & _IS_REACTION)))
        nothing = {"quoted_author": "", "quoted_speaker": "", "quoted": ""}
        write.execute(memory.update().where(here, answers_them, memory.c.quoted != "").values(nothing))
        gone = {"verdict": "declined", "reason": "deleted", "settled_at": self.database.clock()}
        waits = _in(inbox, account, channel) & inbox.c.verdict.is_(None)
        write.execute(inbox.update().where(waits, inbox.c.message_id.in_(ids)).values(gone))

    @transaction
    def reset(self, write: sa.Connection, account: str, channel: str) -> int:
        """Forget a channel: what was said there, and what is about to be said. Its history is not asked for again.
        Returns how many messages went."""
        gone = write.execute(memory.delete().where(_in(memory, account, channel)))
        for table in (answers, stickers):
            write.execute(table.delete().where(_in(table, account, channel)))
        unsent = _in(outbox, account, channel) & outbox.c.state.in_(("ready", HELD))
        write.execute(outbox.update().where(unsent).values(state="failed", text="", said=""))
        insert_new(write, filled, {"account": account, "channel": channel, "at": self.database.clock()})
        return gone.rowcount

    @reading
    def is_filled(self, read: sa.Connection, account: str, channel: str) -> bool:
        """Return whether a channel's history was read."""
        return read.execute(sa.select(filled.c.channel).where(_in(filled, account, channel))).first() is not None

    @reading
    def oldest_id(self, read: sa.Connection, account: str, channel: str) -> str | None:
        """Return the id of the oldest remembered message of a channel."""
        here = _in(memory, account, channel) & ~_IS_REACTION
        return read.execute(sa.select(memory.c.message_id).where(here).order_by(memory.c.id).limit(1)).scalar()

    @transaction
    def fill(self, write: sa.Connection, account: str, channel: str, messages: Sequence[InboundMessage]) -> None:
        """Remember what was said before the first message that was heard, oldest first. History comes before all that
        was heard, so its rows count down from zero."""
        low = write.execute(sa.select(sa.func.min(memory.c.id))).scalar()
        number = min(0, int(low or 0))
        for message in reversed(messages):
            number -= 1
            keep_message(write, message, id=number)
        insert_new(write, filled, {"account": account, "channel": channel, "at": self.database.clock()})


def _in(table: sa.Table, account: str, channel: str) -> sa.ColumnElement[bool]:
    return (table.c.account == account) & (table.c.channel == channel)


_IS_REACTION = memory.c.message_id.contains(REACTS, autoescape=True)


def _remembered(result: sa.Result[Any]) -> list[HistoryMessage]:
    rows: Iterable[Sequence[Any]] = result.all()  # fetched one by one they take as long again
    return [
        HistoryMessage(
            *(message_id, author_id, speaker, lines_of(lines), at, reply_to, bool(to_persona)),
            quoted_speaker,
            lines_of(quoted),
            name,
        )
        for message_id, author_id, speaker, lines, at, reply_to, to_persona, quoted_speaker, quoted, name in rows
    ]


# On the way of every message: put together once.
_HERE = (memory.c.account == bindparam("account")) & (memory.c.channel == bindparam("channel"))
_THIS = sa.select(memory.c.id).where(_HERE, memory.c.message_id == bindparam("message_id")).scalar_subquery()
_PARENT = memory.alias()
_ANSWERS = (
    (_PARENT.c.account == memory.c.account)
    & (_PARENT.c.channel == memory.c.channel)
    & (_PARENT.c.message_id == memory.c.reply_to)
    & (memory.c.reply_to != "")
)
_WROTE = sa.and_(*(participants.c[name] == memory.c[name] for name in ("account", "channel", "author_id")))
_SAID = (
    sa.select(
        *columns(memory, "message_id", "author_id", "speaker", "lines", "at", "reply_to", "to_persona"),
        *(  # as it stands in the message, else as what it answers is remembered
            sa.case((memory.c.quoted != "", memory.c[kept]), else_=sa.func.coalesce(_PARENT.c[own], ""))
            for kept, own in (("quoted_speaker", "speaker"), ("quoted", "lines"))
        ),
        sa.func.coalesce(participants.c.name, ""),
    )
    .select_from(memory.outerjoin(_PARENT, _ANSWERS).outerjoin(participants, _WROTE))
    .where(_HERE)
    .limit(bindparam("most"))
)
_LATEST = _SAID.order_by(memory.c.id.desc())
_UP_TO = _LATEST.where(memory.c.id <= _THIS)
_AFTER = _SAID.where(memory.c.id > _THIS).order_by(memory.c.id)
_OWN = _LATEST.where(IS_OWN)
