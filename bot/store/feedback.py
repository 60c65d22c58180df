"""What people think of the persona's answers: votes, and what its owner would have said instead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.store.database import lines_of, written
from bot.store.records import Answer
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import answers, corrections, feedback, outbox

_MADE = ("prompt", "completion", "adapter", "authors")
_SAME = ("account", "channel", "prompt", "adapter", "authors", "message_id", "author_id", "at")


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """What somebody thinks of an answer. score: 1 or -1; of a correction -1. right: what they would have said, "" of a
    vote. adapter: which one answered. authors: ids of the people whose words are in the prompt. post: the same for all
    judgements of one answer. author_id: whose judgement it is. at: UTC seconds."""

    account: str
    post: str
    prompt: str
    completion: str
    score: int
    right: str
    adapter: str
    authors: tuple[str, ...]
    author_id: str
    at: float


class Feedback(Repository):
    """Votes and corrections. Each is kept with what the answer was made of, until somebody in it is forgotten."""

    @transaction
    def correct(
        self,
        write: sa.Connection,
        account: str,
        channel: str,
        origin: str,
        message_id: str,
        author_id: str,
        right: str,
    ) -> bool | None:
        """Keep what somebody would have said instead of an answer; "" refuses it alone. Returns whether that replaces what
        they thought of it before; None if it is not known how the answer was made."""
        here = (answers.c.account == account) & (answers.c.channel == channel) & (answers.c.origin == origin)
        row = write.execute(sa.select(*(answers.c[name] for name in _MADE)).where(here)).first()
        if row is None:
            return None
        made = dict(zip(_MADE, row, strict=True)) | {"authors": lines_of(row.authors)}
        ours = (outbox.c.account == account) & (outbox.c.channel == channel) & (outbox.c.origin == origin)
        posts = write.execute(sa.select(outbox.c.message_id).where(ours)).scalars().all()
        return self._keep(write, account, channel, message_id, author_id, Answer(**made), right, posts)

    @transaction
    def correct_answer(
        self,
        write: sa.Connection,
        account: str,
        channel: str,
        message_id: str,
        author_id: str,
        answer: Answer,
        right: str,
    ) -> bool:
        """The same for an answer that was said where the store doesn't hear."""
        return self._keep(write, account, channel, message_id, author_id, answer, right)

    @reading
    def judgements(self, read: sa.Connection) -> list[FeedbackRecord]:
        """Return all votes and corrections, oldest first. Of somebody's votes on the posts of one answer the last holds."""
        judgements = sorted([*_votes(read), *_corrections(read)], key=lambda judgement: judgement.at)
        last = {(each.account, each.author_id, each.prompt, each.completion, each.right): each for each in judgements}
        return sorted(last.values(), key=lambda judgement: judgement.at)

    def _keep(
        self,
        write: sa.Connection,
        account: str,
        channel: str,
        message_id: str,
        author_id: str,
        answer: Answer,
        right: str,
        posts: Sequence[str | None] = (),
    ) -> bool:
        """Keep a judgement of an answer instead of what the same person thought of any of its posts."""
        place = {"account": account, "channel": channel, "message_id": message_id, "author_id": author_id}
        replaced = 0
        for table in (corrections, feedback):
            here = (table.c.account == account) & (table.c.channel == channel) & (table.c.author_id == author_id)
            theirs = here & table.c.message_id.in_([message_id, *filter(None, posts)])
            replaced += write.execute(table.delete().where(theirs)).rowcount
        made = {"prompt": answer.prompt, "adapter": answer.adapter, "authors": written(answer.authors)}
        row = {**place, **made, "at": self.database.clock()}
        if right:
            write.execute(corrections.insert().values(**row, wrong=answer.completion, right=right))
        else:
            write.execute(feedback.insert().values(**row, completion=answer.completion, score=-1))
        return bool(replaced)


def _votes(read: sa.Connection) -> Iterator[FeedbackRecord]:
    for row in read.execute(sa.select(feedback)):
        yield _judgement(row, row.completion, int(row.score), "")


def _corrections(read: sa.Connection) -> Iterator[FeedbackRecord]:
    for row in read.execute(sa.select(corrections)):
        yield _judgement(row, row.wrong, -1, row.right)


def _judgement(row: sa.Row[tuple[object, ...]], completion: str, score: int, right: str) -> FeedbackRecord:
    same = {name: getattr(row, name) for name in _SAME}
    post = f"{same.pop('channel')} {same.pop('message_id') or row.at}"
    return FeedbackRecord(
        **{**same, "authors": lines_of(row.authors)}, post=post, completion=completion, score=score, right=right
    )
