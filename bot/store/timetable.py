"""When the next tweet is due, and what the last ones said."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bot.store.inserts import upsert
from bot.store.outbox import insert_posts
from bot.store.records import Answer, OutgoingPart, Post
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import schedule, tweeted

KEPT = 200  # tweets against which a new one is compared


class Timetable(Repository):
    """The rows of the timeline."""

    @reading
    def due_at(self, read: sa.Connection, name: str) -> float | None:
        """Return when the job called `name` is next due, UTC seconds."""
        return read.execute(sa.select(schedule.c.due_at).where(schedule.c.name == name)).scalar()

    @reading
    def drawn_from(self, read: sa.Connection, name: str) -> str:
        """Return the settings from which that due time was drawn; "" if it is of an older release."""
        return read.execute(sa.select(schedule.c.drawn_from).where(schedule.c.name == name)).scalar() or ""

    @transaction
    def postpone(self, write: sa.Connection, name: str, due_at: float, drawn_from: str = "") -> None:
        """Set when a job is next due, and the settings from which that was drawn."""
        upsert(write, schedule, {"name": name, "due_at": due_at, "drawn_from": drawn_from})

    @transaction
    def tweet(
        self,
        write: sa.Connection,
        name: str,
        due_at: float,
        text: str,
        parts: Mapping[tuple[str, str], Sequence[OutgoingPart]],
        origin: str,
        drawn_from: str = "",
        kept: Mapping[tuple[str, str], Answer] | None = None,
    ) -> list[Post]:
        """Move the next due time, keep the tweet's text, and put it into the outbox of its targets (account, channel),
        in one transaction. kept: how it was made, for the targets where people may rate it."""
        now = self.database.clock()
        upsert(write, schedule, {"name": name, "due_at": due_at, "drawn_from": drawn_from})
        _keep(write, text, now)
        posts: list[Post] = []
        for (account, channel), some in parts.items():
            answer = (kept or {}).get((account, channel))
            posts += insert_posts(write, account, channel, origin, some, now=now, answer=answer)
        return posts

    @transaction
    def keep(self, write: sa.Connection, text: str) -> None:
        """Keep the text of a tweet that was asked for, so that it isn't said again."""
        _keep(write, text, self.database.clock())

    @reading
    def tweeted(self, read: sa.Connection) -> list[str]:
        """Return the last tweets, newest first."""
        return list(read.execute(sa.select(tweeted.c.text).order_by(tweeted.c.id.desc()).limit(KEPT)).scalars())


def _keep(write: sa.Connection, text: str, now: float) -> None:
    write.execute(tweeted.insert().values(text=text, at=now))
    kept = sa.select(tweeted.c.id).order_by(tweeted.c.id.desc()).limit(KEPT).subquery()
    write.execute(tweeted.delete().where(tweeted.c.id.notin_(sa.select(kept.c.id))))
