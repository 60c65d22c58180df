"""Drafts: answers that an owner approves, corrects or drops before they are posted."""

from collections.abc import Sequence

import sqlalchemy as sa

from bot.store.inserts import upsert
from bot.store.outbox import DRAFTED, HELD, answer_to, insert_posts, posts_where
from bot.store.records import OutgoingPart, Post
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import answers, connections, contacts, corrections, inbox, outbox


class Drafts(Repository):
    """Answers that are held, and how far their owner trusts the persona with a contact."""

    @reading
    def approved(self, read: sa.Connection, account: str, channel: str) -> int:
        """Return how many drafts for a contact were approved in a row."""
        query = sa.select(contacts.c.approved).where(contacts.c.account == account, contacts.c.channel == channel)
        return read.execute(query).scalar() or 0

    @transaction
    def send(self, write: sa.Connection, account: str, shown: str) -> list[Post]:
        """Let the answer go that a draft shows. shown: the draft's origin. Returns its posts; none if it was decided."""
        channel, origin = _place(shown)
        here = _held(account, channel, origin)
        now = self.database.clock()
        if not write.execute(outbox.update().where(here).values(state="ready", at=now)).rowcount:
            return []
        approved = self._approved(write, account, channel) + 1
        upsert(write, contacts, {"account": account, "channel": channel, "approved": approved})
        _judge(write, account, channel, origin, "answered", "approved")
        return _ready(write, account, channel, origin)

    @transaction
    def drop(self, write: sa.Connection, account: str, shown: str) -> bool:
        """Drop the answer that a draft shows. Returns False if it was decided."""
        channel, origin = _place(shown)
        if not _fail(write, _held(account, channel, origin)):
            return False
        upsert(write, contacts, {"account": account, "channel": channel, "approved": 0})
        _judge(write, account, channel, origin, "declined", "refused")
        return True

    @transaction
    def correct(
        self, write: sa.Connection, account: str, shown: str, right: str, parts: Sequence[OutgoingPart]
    ) -> list[Post]:
        """Post these parts instead of what a draft shows, and keep what was wrong with what would have been right.
        Returns the posts; none if it was decided."""
        channel, origin = _place(shown)
        if not write.execute(outbox.delete().where(_held(account, channel, origin))).rowcount:
            return []
        now = self.database.clock()
        here = (answers.c.account == account) & (answers.c.channel == channel) & (answers.c.origin == origin)
        if made := write.execute(sa.select(answers).where(here)).mappings().first():
            kept = {name: made[name] for name in ("account", "channel", "prompt", "adapter", "authors")}
            kept |= {"message_id": origin.removeprefix(answer_to("")), "author_id": channel.partition("@")[2]}
            write.execute(corrections.insert().values(**kept, wrong=made["completion"], right=right, at=now))
        upsert(write, contacts, {"account": account, "channel": channel, "approved": 0})
        _judge(write, account, channel, origin, "answered", "corrected")
        message_id = origin.removeprefix(answer_to(""))
        return insert_posts(write, account, channel, origin, parts, message_id, now=now)

    @transaction
    def answered_by_owner(self, write: sa.Connection, account: str, channel: str) -> None:
        """Drop what is held for a channel: its owner has answered there."""
        held = (outbox.c.account == account) & (outbox.c.channel == channel) & (outbox.c.state == HELD)
        origins = write.execute(sa.select(outbox.c.origin).where(held).distinct()).scalars().all()
        _fail(write, held)
        for origin in origins:
            _judge(write, account, channel, origin, "declined", "answered by owner")

    @reading
    def doubtful(self, read: sa.Connection, account: str, channel: str) -> list[Post]:
        """Return the posts in an owner's chat of which nobody knows whether they show their draft."""
        return posts_where(
            read,
            outbox.c.account == account,
            outbox.c.channel == channel,
            outbox.c.state == "uncertain",
            outbox.c.origin.startswith(DRAFTED, autoescape=True),
        )

    @transaction
    def seen(self, write: sa.Connection, post: Post, message_id: str) -> None:
        """Note that a draft was shown after all, in this message."""
        write.execute(outbox.update().where(outbox.c.id == post.id).values(state="sent", message_id=message_id))

    @transaction
    def connect(self, write: sa.Connection, account: str, owner: str, connection: str) -> None:
        """Note over which connection an owner's chats are reached."""
        upsert(write, connections, {"account": account, "owner": owner, "connection": connection})

    @reading
    def connections(self, read: sa.Connection, account: str) -> dict[str, str]:
        """Return the connections by owner."""
        query = sa.select(connections.c.owner, connections.c.connection).where(connections.c.account == account)
        return dict(read.execute(query).tuples().all())

    @reading
    def corrections(self, read: sa.Connection) -> list[tuple[str, str, str]]:
        """Return prompt, wrong and right answer of every correction, oldest first."""
        query = sa.select(corrections.c.prompt, corrections.c.wrong, corrections.c.right).order_by(corrections.c.id)
        return list(read.execute(query).tuples().all())

    def _approved(self, write: sa.Connection, account: str, channel: str) -> int:
        query = sa.select(contacts.c.approved).where(contacts.c.account == account, contacts.c.channel == channel)
        return write.execute(query).scalar() or 0


def shown_as(channel: str, message_id: str) -> str:
    """Return the origin of the post that shows a draft of the answer to a message."""
    return f"{DRAFTED}{channel} {message_id}"


def drafted_channel(shown: str) -> str:
    """Return the channel of the answer that a draft shows. shown: the draft's origin."""
    return _place(shown)[0]


def _place(shown: str) -> tuple[str, str]:
    channel, _, message_id = shown.removeprefix(DRAFTED).partition(" ")
    return channel, answer_to(message_id)


def _held(account: str, channel: str, origin: str) -> sa.ColumnElement[bool]:
    same = (outbox.c.account == account) & (outbox.c.channel == channel) & (outbox.c.origin == origin)
    return same & (outbox.c.state == HELD)


def _fail(write: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    return write.execute(outbox.update().where(which).values(state="failed", text="", said="")).rowcount


def _judge(write: sa.Connection, account: str, channel: str, origin: str, verdict: str, reason: str) -> None:
    here = (inbox.c.account == account) & (inbox.c.channel == channel) & (answer_to(inbox.c.message_id) == origin)
    write.execute(inbox.update().where(here).values(verdict=verdict, reason=reason))


def _ready(read: sa.Connection, account: str, channel: str, origin: str) -> list[Post]:
    here = (outbox.c.account == account) & (outbox.c.channel == channel) & (outbox.c.origin == origin)
    return posts_where(read, here, outbox.c.state == "ready")
