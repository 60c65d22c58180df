"""People as the store knows them: how they are written, who opted out, what they rated, and how they are forgotten."""

import re
from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from bot.store.database import written
from bot.store.inserts import insert_new, upsert
from bot.store.outbox import DRAFTED, answer_to
from bot.store.records import Answer, InboundMessage, Participant, Participants, Receipt
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import (
    IS_QUOTED,
    access_requests,
    answers,
    connections,
    corrections,
    feedback,
    inbox,
    introductions,
    memory,
    metadata,
    notes,
    optouts,
    outbox,
    participants,
    quarantine,
)
from persona.markers import forwarded
from persona.names import NUMBERED_LENGTH, SOMEONE, normalise, skeleton
from persona.transcript import UNKNOWN

_MADE = ("prompt", "completion", "adapter", "authors")  # what an answer was made of


class People(Repository):
    """Everything that is kept by author. An author is known by platform and id."""

    @reading
    def participants(
        self, read: sa.Connection, account: str, author_ids: Collection[str], channels: Collection[str]
    ) -> Participants:
        """Return which of these people opted out, and as whom the others were seen in these channels."""
        here: dict[str, dict[str, Participant]] = {channel: {} for channel in channels}
        wanted = {"account": account, "channels": list(channels), "author_ids": list(author_ids)}
        for channel, author_id, *row in read.execute(_PARTICIPANTS, wanted):
            here[channel][author_id] = Participant(*row)
        return Participants(_opted_out(read, account.partition(":")[0], author_ids), here)

    @reading
    def in_channel(
        self, read: sa.Connection, account: str, channel: str, author_ids: Collection[str]
    ) -> dict[str, Participant]:
        """Return those of these people who were seen in a channel, by author id."""
        rows = read.execute(_PARTICIPANTS, {"account": account, "channels": [channel], "author_ids": list(author_ids)})
        return {author_id: Participant(*participant) for _, author_id, *participant in rows}

    @reading
    def alike(self, read: sa.Connection, account: str, channel: str, name: str) -> set[str]:
        """Return the keys in a channel that a new key for this name could be taken for."""
        key = normalise(name) or SOMEONE
        numbered = skeleton(key[:NUMBERED_LENGTH]).rstrip()
        looks = {
            "look": skeleton(key),
            "numbered": f"{numbered} ",
            "beyond": f"{numbered}!",
            "pattern": f"{_escaped(numbered)} %",
        }
        known = read.execute(_alike(read.dialect.name), {"account": account, "channel": channel, **looks})
        return set(known.scalars())

    @reading
    def opted_out(self, read: sa.Connection, platform: str, author_ids: Collection[str]) -> set[str]:
        """Return which of these people want to be neither stored nor answered."""
        return _opted_out(read, platform, author_ids)

    async def opt_out(self, platform: str, author_id: str) -> Receipt:
        """Neither store nor answer somebody from now on, and forget them."""
        receipt = await self._opt_out(platform, author_id)
        await self.database.empty_log()
        return receipt

    @transaction
    def _opt_out(self, write: sa.Connection, platform: str, author_id: str) -> Receipt:
        now = self.database.clock()
        insert_new(write, optouts, {"platform": platform, "author_id": author_id, "at": now})
        return _forget(write, platform, author_id, now)

    @transaction
    def opt_in(self, write: sa.Connection, platform: str, author_id: str) -> bool:
        """Take an opt-out back. Returns False if there was none."""
        theirs = (optouts.c.platform == platform) & (optouts.c.author_id == author_id)
        return bool(write.execute(optouts.delete().where(theirs)).rowcount)

    async def forget(self, platform: str, author_id: str) -> Receipt:
        """Forget what somebody wrote, what they were called, what answers them, and every prompt that held their words.
        No id of theirs stays, but that of somebody who opted out."""
        receipt = await self._forget(platform, author_id)
        await self.database.empty_log()
        return receipt

    @transaction
    def _forget(self, write: sa.Connection, platform: str, author_id: str) -> Receipt:
        return _forget(write, platform, author_id, self.database.clock())

    @transaction
    def rate(
        self,
        write: sa.Connection,
        account: str,
        channel: str,
        origin: str,
        message_id: str,
        author_id: str,
        score: int,
    ) -> bool:
        """Store a rating of an answer: 1, -1, or 0 to withdraw it. Returns False if the answer is unknown."""
        place = {"account": account, "channel": channel, "message_id": message_id, "author_id": author_id}
        if score == 0:
            return _unrate(write, place)
        query = sa.select(*(answers.c[name] for name in _MADE)).where(
            answers.c.account == account, answers.c.channel == channel, answers.c.origin == origin
        )
        row = write.execute(query).first()
        if row is None:
            return False
        made = dict(zip(_MADE, row, strict=True))
        upsert(write, feedback, {**place, **made, "score": score, "at": self.database.clock()})
        return True

    @transaction
    def rate_answer(
        self,
        write: sa.Connection,
        account: str,
        channel: str,
        message_id: str,
        author_id: str,
        answer: Answer,
        score: int,
    ) -> None:
        """The same for an answer that was said where the store doesn't hear."""
        place = {"account": account, "channel": channel, "message_id": message_id, "author_id": author_id}
        made = {name: getattr(answer, name) for name in _MADE} | {"authors": written(answer.authors)}
        if score:
            upsert(write, feedback, {**place, **made, "score": score, "at": self.database.clock()})
        else:
            _unrate(write, place)

    @transaction
    def access_requested(self, write: sa.Connection, account: str, place: str) -> None:
        """Note that somebody wrote who is not on the allowlist. place: `chat:ID` or `user:ID`."""
        upsert(write, access_requests, {"account": account, "place": place, "at": self.database.clock()})

    @reading
    def access_requests(self, read: sa.Connection) -> list[tuple[str, str]]:
        """Return who asked for access, newest first: account and place."""
        query = (
            sa.select(access_requests.c.account, access_requests.c.place)
            .order_by(access_requests.c.at.desc())
            .limit(20)
        )
        return [(account, place) for account, place in read.execute(query)]


def keep_participant(write: sa.Connection, message: InboundMessage) -> None:
    """Write an author under this key in this channel from now on."""
    place = {"account": message.account, "channel": message.channel, "author_id": message.author_id}
    known = {"speaker": message.speaker, "name": message.name, "skeleton": skeleton(message.speaker)}
    upsert(write, participants, {**place, **known})
    for statement in _RENAMED:  # also what is remembered
        where = {"their_account": message.account, "their_channel": message.channel}
        write.execute(statement, {**where, "by": message.author_id, "key": message.speaker})


def _opted_out(read: sa.Connection, platform: str, author_ids: Collection[str]) -> set[str]:
    return set(read.execute(_OPTED_OUT, {"platform": platform, "author_ids": list(author_ids)}).scalars())


def _forget(write: sa.Connection, platform: str, author_id: str, now: float) -> Receipt:
    """Delete what is kept by author, what answers them, and their private channels, whose names may be their id."""

    def gone(table: sa.Table, which: sa.ColumnElement[bool]) -> int:
        here = table.c.account.startswith(f"{platform}:", autoescape=True)
        return write.execute(table.delete().where(here, which)).rowcount

    private = _private_channels(write, platform, author_id)
    quoted = written([author_id])[1:-1]
    rated = feedback.c.authors.contains(quoted, autoescape=True) | (feedback.c.author_id == author_id)
    theirs = sa.exists().where(*_same(inbox, outbox, "account", "channel"), inbox.c.author_id == author_id)
    drafted = DRAFTED + inbox.c.channel + " " + inbox.c.message_id
    asked = sa.exists().where(*_same(inbox, outbox, "account"), inbox.c.author_id == author_id)
    shown = gone(outbox, asked.where(drafted == outbox.c.origin))
    replies = shown + gone(outbox, theirs.where(answer_to(inbox.c.message_id) == outbox.c.origin))
    names = gone(participants, participants.c.author_id == author_id)
    names += gone(access_requests, access_requests.c.place == f"user:{author_id}")
    messages = gone(memory, memory.c.author_id == author_id)
    answered = sa.exists().where(*_same(inbox, memory, "account", "channel"), inbox.c.author_id == author_id)
    replies += gone(memory, answered.where(inbox.c.message_id == memory.c.reply_to, memory.c.author_id == ""))
    quotes = _mask_quotes(write, platform, author_id)
    verdicts = gone(inbox, inbox.c.author_id == author_id)
    ratings = gone(
        corrections,
        corrections.c.authors.contains(quoted, autoescape=True) | (corrections.c.author_id == author_id),
    )
    ratings += gone(feedback, rated) + gone(answers, answers.c.authors.contains(quoted, autoescape=True))
    return Receipt(
        f"{platform}:{author_id}",
        now,
        messages=messages,
        quotes=quotes,
        verdicts=verdicts,
        names=names,
        feedback=ratings,
        updates=gone(quarantine, quarantine.c.content.contains(author_id, autoescape=True)),
        replies=replies + gone(memory, private(memory)) + gone(outbox, private(outbox)),
        notes=write.execute(notes.delete().where(notes.c.author == f"{platform}:{author_id}")).rowcount,
        marks=gone(introductions, introductions.c.author_id == author_id)
        + gone(connections, connections.c.owner == author_id)
        + sum(gone(table, private(table)) for table in metadata.tables.values() if "channel" in table.c),
    )


def _mask_quotes(write: sa.Connection, platform: str, author_id: str) -> int:
    """Forget what others quoted and passed on of somebody. Returns how many messages held that."""
    here = memory.c.account.startswith(f"{platform}:", autoescape=True)
    unknown = written([UNKNOWN])
    quote = {"quoted_author": "", "quoted_speaker": "", "quoted": unknown}
    forward = {"forwarded_author": "", "lines": written(forwarded("", [UNKNOWN]))}
    masked = {"quoted_author": quote, "forwarded_author": forward}
    return sum(
        write.execute(memory.update().where(here, memory.c[column] == author_id).values(values)).rowcount
        for column, values in masked.items()
    )


def _private_channels(
    read: sa.Connection, platform: str, author_id: str
) -> Callable[[sa.Table], sa.ColumnElement[bool]]:
    """Return the condition that a row is of a private channel of theirs. Telegram names those by the person's id."""
    here = inbox.c.account.startswith(f"{platform}:", autoescape=True)
    known = sa.select(inbox.c.channel).distinct().where(here, inbox.c.author_id == author_id, inbox.c.is_dm)
    named = f"{platform}:{author_id}"
    channels = [named, *read.execute(known).scalars()]
    return lambda table: (
        table.c.channel.in_(channels)
        | sa.or_(*(table.c.channel.startswith(f"{named}{sign}", autoescape=True) for sign in ":@"))
        | table.c.channel.endswith(f"@{author_id}", autoescape=True)  # where they decide what is said
    )


def _same(one: sa.Table, other: sa.Table, *names: str) -> list[sa.ColumnElement[bool]]:
    return [one.c[name] == other.c[name] for name in names]


def _unrate(write: sa.Connection, place: dict[str, Any]) -> bool:
    which = sa.and_(*(feedback.c[name] == value for name, value in place.items()))
    return bool(write.execute(feedback.delete().where(which)).rowcount)


def _escaped(text: str) -> str:
    """Return a text as LIKE takes it literally."""
    return re.sub(r"[/%_]", r"/\g<0>", text)


# On the way of every message: put together once.
_SPEAKERS_HERE = sa.select(participants.c.speaker).where(
    participants.c.account == bindparam("account"), participants.c.channel == bindparam("channel")
)


@cache
def _alike(dialect: str) -> sa.CompoundSelect[str]:
    """The keys that look like one, and those with a number behind it. SQLite finds them in its index, whose order is that
    of code points, between the blank and what follows it; other databases order by language."""
    look = participants.c.skeleton
    between = (look >= bindparam("numbered")) & (look < bindparam("beyond"))
    numbered = between if dialect == "sqlite" else look.like(bindparam("pattern"), escape="/")
    return sa.union_all(_SPEAKERS_HERE.where(look == bindparam("look")), _SPEAKERS_HERE.where(numbered))


def _renamed(author: str, speaker: str) -> sa.Update:
    here = (memory.c.account == bindparam("their_account")) & (memory.c.channel == bindparam("their_channel"))
    theirs = memory.c[author] == bindparam("by")
    if author == "quoted_author":
        theirs &= IS_QUOTED
    return (
        memory.update().where(here, theirs, memory.c[speaker] != bindparam("key")).values({speaker: bindparam("key")})
    )


_RENAMED = [_renamed("author_id", "speaker"), _renamed("quoted_author", "quoted_speaker")]
_PARTICIPANTS = sa.select(*(participants.c[name] for name in ("channel", "author_id", "speaker", "name"))).where(
    participants.c.account == bindparam("account"),
    participants.c.channel.in_(bindparam("channels", expanding=True)),
    participants.c.author_id.in_(bindparam("author_ids", expanding=True)),
)
_OPTED_OUT = sa.select(optouts.c.author_id).where(
    optouts.c.platform == bindparam("platform"), optouts.c.author_id.in_(bindparam("author_ids", expanding=True))
)
