"""The outbox: posts to be made, each a row with its state."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from bot.store.database import columns, lines_of, written
from bot.store.inserts import insert_new, insert_numbered
from bot.store.records import Answer, OutgoingPart, PendingMessage, Post, PostedAnswer, reaction_id
from bot.store.repository import Repository, reading, transaction, unsynced_transaction
from bot.store.schema import answers, corrections, feedback, inbox, introductions, memory, outbox

OPEN = ("ready", "sending")
HELD = "held"  # the state of an answer that its owner has not approved
DRAFTED = "draft:"  # how the origin begins of a post that shows such an answer
LOGGED = "log:"  # how the origin begins of a line in the moderators' log
HANDED_IN = "studio:"  # how the origin begins of a post that the daemon didn't put here itself


class Outbox(Repository):
    """Posts wait, are sent, or fail."""

    @transaction
    def put(
        self,
        write: sa.Connection,
        account: str,
        channel: str,
        origin: str,
        parts: Sequence[OutgoingPart],
        answer: Answer | None = None,
    ) -> list[Post]:
        """Add posts that answer nothing. answer: how they were made, if people may rate them. Returns the new ones: the
        same origin twice adds none."""
        return insert_posts(write, account, channel, origin, parts, now=self.database.clock(), answer=answer)

    @reading
    def unsent(self, read: sa.Connection, account: str) -> list[Post]:
        """Return the posts that are ready, or were being sent when the process ended, oldest first."""
        return posts_where(read, outbox.c.account == account, outbox.c.state.in_(OPEN))

    @reading
    def unsent_answer(self, read: sa.Connection, pending: PendingMessage) -> list[Post]:
        """Return the parts of the answer to a message that are not settled yet, in order."""
        same = (getattr(outbox.c, name) == getattr(inbox.c, name) for name in ("account", "channel"))
        answers = (inbox.c.id == pending.id, *same, outbox.c.origin == answer_to(inbox.c.message_id))
        return posts_where(read, *answers, outbox.c.state.in_(OPEN))

    @reading
    def handed_in(self, read: sa.Connection, account: str) -> list[Post]:
        """Return the ready posts that another process put here (see HANDED_IN), oldest first."""
        theirs = outbox.c.origin.startswith(HANDED_IN, autoescape=True)
        return posts_where(read, outbox.c.account == account, outbox.c.state == "ready", theirs)

    @reading
    def open_row(self, read: sa.Connection, post: Post) -> Post | None:
        """Return the row of a post as it is now; None if it is settled."""
        return next(iter(_posts(read.execute(_OPEN_ROW, {"row": post.id}))), None)

    @transaction
    def begin(self, write: sa.Connection, post: Post) -> Post | None:
        """Note that a post is about to be sent; returns the row as it was before, None if it is settled.

        If its state was `sending`, an earlier try may have made the post.
        """
        rows = _posts(write.execute(_OPEN_ROW, {"row": post.id}))
        if rows and rows[0].state == "ready":
            write.execute(_BEGIN, {"row": post.id})
        return rows[0] if rows else None

    @transaction
    def release(self, write: sa.Connection, post: Post, wait: float = 0.0) -> None:
        """Note that a post was certainly not made: it is ready again, in `wait` seconds."""
        write.execute(_RELEASE, {"row": post.id, "then": self.database.clock() + wait})

    @unsynced_transaction
    def sent(self, write: sa.Connection, post: Post, message_id: str, speaker: str, adapter: str = "") -> bool:
        """Note that a post was made, and by which adapter's version, and remember it as the persona's own words; not if it
        was forgotten meanwhile. Returns False if it was given up while it was being made: it must not stand. A power cut that
        undoes the note leaves the post as one that may have been made, as one before the note does."""
        row = write.execute(_SENT, {"row": post.id, "known_as": message_id, "version": adapter}).first()
        if row is None:
            return write.execute(_GIVEN_UP, {"row": post.id}).first() is None
        channel, introduces = row
        for key in lines_of(introduces):
            place, author_id = key.split(" ")
            known = {"account": post.account, "channel": place, "author_id": author_id}
            insert_new(write, introductions, {**known, "at": self.database.clock()})
        if not post.said and (introduces or post.origin.startswith((LOGGED, DRAFTED))):
            return True  # no words of the persona
        said: dict[str, Any] = {"account": post.account, "channel": channel, "message_id": message_id}
        said |= {"author_id": "", "speaker": speaker, "lines": written(post.said), "at": self.database.clock()}
        said |= {"reply_to": post.after, "to_persona": False}
        if post.post_type == "reaction":
            said["message_id"] = reaction_id(post.reply_to, "", post.text)
        insert_new(write, memory, said)
        return True

    @transaction
    def mark_uncertain(self, write: sa.Connection, post: Post) -> None:
        """Note that nobody can know whether a post was made. So is its answer, the rest of which is given up: a second
        half must not stand alone."""
        _end(write, outbox.c.id == post.id, "uncertain")
        _end(write, _rest_of(post), "failed")
        _judge(write, post, "uncertain", "result unknown")

    @transaction
    def fail(self, write: sa.Connection, post: Post, verdict: str, reason: str) -> None:
        """Note that a post, and with it the rest of its answer, will not be made. If nothing of an answer was said, its
        message gets this verdict instead."""
        _end(write, _rest_of(post), "failed")
        if post.part == 0:
            _judge(write, post, verdict, reason)

    @reading
    def is_introduced(self, read: sa.Connection, account: str, channel: str, author_id: str) -> bool:
        """Return whether the persona has introduced itself in a channel and to a person. author_id: "" for nobody."""
        known = sa.or_(
            sa.and_(introductions.c.channel == channel, introductions.c.author_id == ""),
            sa.and_(introductions.c.channel == "", introductions.c.author_id == author_id),
        )
        query = sa.select(sa.func.count()).where(introductions.c.account == account, known)
        return read.execute(query).scalar_one() == (2 if author_id else 1)

    @reading
    def answer_with(self, read: sa.Connection, account: str, channel: str, message_id: str = "") -> PostedAnswer | None:
        """Return everything that was posted together with a post; "" for the last one in the channel."""
        here = (outbox.c.account == account) & (outbox.c.channel == channel)
        posted = here & outbox.c.message_id.is_not(None) & ~outbox.c.origin.startswith(LOGGED, autoescape=True)
        which = posted & (outbox.c.message_id == message_id) if message_id else posted
        origin = read.execute(sa.select(outbox.c.origin).where(which).order_by(outbox.c.id.desc()).limit(1)).scalar()
        if origin is None:
            return None
        parts = sa.select(outbox.c.message_id).where(posted, outbox.c.origin == origin).order_by(outbox.c.part)
        asked = (inbox.c.account == account) & (inbox.c.channel == channel)
        author = sa.select(inbox.c.author_id).where(asked, answer_to(inbox.c.message_id) == origin)
        ids = tuple(read.execute(parts).scalars())
        return PostedAnswer(origin, ids, read.execute(author).scalar() or "")

    @transaction
    def give_up_rest(self, write: sa.Connection, account: str, channel: str, origin: str) -> None:
        """Note that what is left of an answer will not be posted."""
        here = (outbox.c.account == account) & (outbox.c.channel == channel) & (outbox.c.origin == origin)
        _end(write, here & outbox.c.state.in_(OPEN), "failed")

    @transaction
    def forget_answer(self, write: sa.Connection, account: str, channel: str, answer: PostedAnswer) -> None:
        """Forget what was said in posts that were taken back, what they were made of, and who rated them. Parts that were
        given up stay as such: one of them may be on its way."""
        for table in (memory, feedback, corrections):
            here = (table.c.account == account) & (table.c.channel == channel)
            write.execute(table.delete().where(here, table.c.message_id.in_(answer.message_ids)))
        for table, which in ((answers, sa.true()), (outbox, outbox.c.state != "failed")):
            here = (table.c.account == account) & (table.c.channel == channel) & which
            write.execute(table.delete().where(here, table.c.origin == answer.origin))

    @reading
    def adapter_of(self, read: sa.Connection, account: str, channel: str, message_id: str) -> str:
        """Return the version of the adapter that said a post; "" if that is not known."""
        here = (outbox.c.account == account) & (outbox.c.channel == channel) & (outbox.c.message_id == message_id)
        return read.execute(sa.select(outbox.c.adapter).where(here)).scalar() or ""

    @reading
    def origin_of(self, read: sa.Connection, account: str, channel: str, message_id: str) -> str | None:
        """Return the origin of a post that was made."""
        query = sa.select(outbox.c.origin).where(
            outbox.c.account == account, outbox.c.channel == channel, outbox.c.message_id == message_id
        )
        return read.execute(query).scalar()


def answer_to(message_id: Any) -> Any:
    """Return the origin of the posts that answer a message. Not the number of its row: SQLite gives that again once the
    row is purged or forgotten, and the new answer would pass for the old one."""
    return "inbox:" + message_id


def insert_posts(
    write: sa.Connection,
    account: str,
    channel: str,
    origin: str,
    parts: Sequence[OutgoingPart],
    answers: str = "",
    *,
    now: float,
    state: str = "ready",
    answer: Answer | None = None,
) -> list[Post]:
    """Put posts into the outbox inside a transaction. answers: the id of the message they answer, "" for none. now: UTC
    seconds. answer: how they were made, if that is kept."""
    if answer and parts:
        _keep_answer(write, account, channel, origin, answer, now)
    posts: list[Post] = []
    for number, part in enumerate(parts):
        values: dict[str, Any] = {"account": account, "channel": channel, "origin": origin, "part": number, "at": now}
        is_answer = number == 0 or part.post_type == "reaction"  # which is to a message, or nothing
        values |= {"text": part.text, "reply_to": answers if is_answer else "", "after": answers, "state": state}
        values |= {"post_type": part.post_type}
        keys = _introduced(write, account, channel, answers) if part.introduces else []
        kept = {"said": written(part.said), "introduces": written(keys) if keys else ""}
        row = insert_numbered(write, outbox, {**values, **kept})
        if row is not None:
            posts.append(Post(id=row, said=part.said, **values))
    return posts


def _keep_answer(write: sa.Connection, account: str, channel: str, origin: str, answer: Answer, now: float) -> None:
    made = {"prompt": answer.prompt, "completion": answer.completion, "adapter": answer.adapter}
    place = {"account": account, "channel": channel, "origin": origin}
    insert_new(write, answers, {**place, **made, "authors": written(answer.authors), "at": now})


def _introduced(read: sa.Connection, account: str, channel: str, message_id: str) -> list[str]:
    """To whom a post introduces the persona: the channel and the author of the message that it answers."""
    asked = (inbox.c.account == account) & (inbox.c.channel == channel) & (inbox.c.message_id == message_id)
    author = read.execute(sa.select(inbox.c.author_id).where(asked)).scalar()
    return [f"{channel} ", *([f" {author}"] if author else [])]


def posts_where(read: sa.Connection, *which: sa.ColumnElement[bool]) -> list[Post]:
    return _posts(read.execute(_POSTS.where(*which).order_by(outbox.c.id)))


def _posts(rows: Iterable[Sequence[Any]]) -> list[Post]:
    named = [dict(zip(Post.__dataclass_fields__, row, strict=True)) for row in rows]
    return [Post(**{**row, "said": lines_of(row["said"])}) for row in named]


def _rest_of(post: Post) -> sa.ColumnElement[bool]:
    """Return the open parts of an answer from this one on. Its channel is read from the row: the chat may have moved."""
    here = outbox.c.channel == sa.select(_ROW.c.channel).where(_ROW.c.id == post.id).scalar_subquery()
    same = (outbox.c.account == post.account) & (outbox.c.origin == post.origin)
    return here & same & (outbox.c.part >= post.part) & outbox.c.state.in_(OPEN)


def _end(write: sa.Connection, which: sa.ColumnElement[bool], state: str) -> None:
    write.execute(outbox.update().where(which).values(state=state, text="", said=""))


def _judge(write: sa.Connection, post: Post, verdict: str, reason: str) -> None:
    which = (inbox.c.account == post.account) & (answer_to(inbox.c.message_id) == post.origin)
    here = inbox.c.channel == sa.select(outbox.c.channel).where(outbox.c.id == post.id).scalar_subquery()
    write.execute(inbox.update().where(which, here).values(verdict=verdict, reason=reason))


# On the way of every answer: put together once.
_ROW = outbox.alias()
_POSTS = sa.select(*columns(outbox, *Post.__dataclass_fields__))
_OPEN_ROW = _POSTS.where(outbox.c.id == bindparam("row"), outbox.c.state.in_(OPEN))
_BEGIN = outbox.update().where(outbox.c.id == bindparam("row")).values(state="sending")
_RELEASE = (
    outbox.update()
    .where(outbox.c.id == bindparam("row"), outbox.c.state == "sending")
    .values(state="ready", not_before=bindparam("then"))
)
_SENT = (
    outbox.update()
    .where(outbox.c.id == bindparam("row"), outbox.c.state != "failed")
    .values(state="sent", message_id=bindparam("known_as"), adapter=bindparam("version"), text="", said="")
    .returning(outbox.c.channel, outbox.c.introduces)
)
_GIVEN_UP = sa.select(outbox.c.id).where(outbox.c.id == bindparam("row"), outbox.c.state == "failed")
