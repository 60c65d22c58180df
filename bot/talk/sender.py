"""Posts the rows of the outbox, each once as far as the platform can tell."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable

from bot.backoff import Backoff
from bot.gateway import Gateway, NotSent, OutgoingMessage, ResultUnknown, Undeliverable, drafts_channel
from bot.metrics import BotMetrics
from bot.store import DRAFTED, BotStore, Post
from bot.talk.pace import Pace
from bot.talk.places import Places
from persona.events import Event

log = logging.getLogger("alterego.sender")

UNCERTAIN, EXPIRED = "result unknown", "expired"  # why an owner is told of a post

OnUndeliverable = Callable[[Post, str], Awaitable[None]]


class _Expired(Exception):
    """The post was not made, and by now must not be."""


class Sender:
    """Delivers for one gateway.

    speaker: the persona's key, under which posts are remembered. version: of its adapter. on_undeliverable: told of a post
    that can never be made. waits: the first and the longest pause between two tries, in seconds.
    """

    def __init__(
        self,
        store: BotStore,
        gateway: Gateway,
        speaker: str,
        places: Places,
        pace: Pace,
        metrics: BotMetrics,
        on_undeliverable: OnUndeliverable,
        waits: tuple[float, float] = (1.0, 60.0),
        version: str = "",
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._speaker = speaker
        self._version = version
        self._places = places
        self._pace = pace
        self._metrics = metrics
        self._on_undeliverable = on_undeliverable
        self._first, self._longest = waits
        self._made: dict[int, str] = {}  # posts that were made and not noted yet: row -> message id
        self._tried: set[int] = set()  # rows that may have been posted, where the platform knows a post again

    def take_over(self, posts: Iterable[Post]) -> None:
        """Take what an earlier process left: any of it may have been posted, where that is noted nowhere."""
        if self._gateway.limits.idempotent_sends:
            self._tried |= {post.id for post in posts}

    async def deliver(self, post: Post) -> bool:
        """Make a post, or record why not. Returns False if it was not made; the rest of its answer is given up then.

        What came of earlier tries is read from the store at each: a row that is `sending` may have been posted. All
        waiting is done before that state, so that a row in it was handed to the platform.
        """
        backoff = Backoff(self._first, self._longest)
        pause = min(max(0.0, post.not_before - self._store.clock()), self._expires(post))
        while True:
            await asyncio.sleep(pause)
            await self._ready_to_send(post)
            row = await self._begin(post)
            if row is None:
                self._tried.discard(post.id)
                return False
            doubtful = row.state == "sending" or row.id in self._tried
            if not doubtful and self._is_expired(row):
                return await self._give_up(row)
            try:
                return await self._try(row, doubtful)
            except _Expired:
                return await self._give_up(row)
            except NotSent as refusal:
                pause = backoff.pause(at_least=refusal.wait)
                if not doubtful:  # else an earlier try may have made it
                    await self._release(row, pause)
                log.warning(Event("not sent", channel=row.channel, reason=refusal, again_in_seconds=round(pause, 1)))
            except ResultUnknown as failure:
                pause = backoff.pause() if self._is_idempotent(row) else 0.0
                log.warning(Event("result unknown", channel=row.channel, reason=failure))
            except Undeliverable as refusal:
                return await self._refused(row, str(refusal))
            if doubtful and self._is_expired(row):
                return await self._doubt(row)

    async def _ready_to_send(self, post: Post) -> None:
        """Wait until a person would have typed it, and until the platform takes another post."""
        is_ready_text = post.part > 0 and post.state == "ready" and post.post_type == "text"
        if is_ready_text and (seconds := self._pace.typing_seconds(post.channel, post.text)):
            async with self._gateway.typing(post.channel):
                await self._pace.pause(seconds)
        await self._gateway.pace(post.channel, post.post_type)

    async def _release(self, row: Post, pause: float) -> None:
        """Note that the post was certainly not made."""
        self._tried.discard(row.id)
        if not self._gateway.limits.idempotent_sends:
            await asyncio.shield(self._store.outbox.release(row, pause))

    async def _begin(self, post: Post) -> Post | None:
        """Return the row as it is, and note that the post is being sent. Cancelled, it is ready again: the step is
        carried through by the store. Where the platform knows a post again, nothing is noted: an earlier process's posts
        are looked for."""
        if self._gateway.limits.idempotent_sends:
            return await self._store.outbox.open_row(post)
        step = asyncio.ensure_future(self._store.outbox.begin(post))
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            await asyncio.shield(self._undo(step))
            raise

    async def _undo(self, step: "asyncio.Future[Post | None]") -> None:
        row = await step
        if row and row.state == "ready":
            await self._store.outbox.release(row)

    async def _try(self, row: Post, doubtful: bool) -> bool:
        """Make the post, or find it made. doubtful: an earlier try may have made it."""
        message_id = self._made.get(row.id) or await self._send(row, doubtful)
        if not message_id:
            return await self._doubt(row)
        self._made[row.id] = message_id  # the next try only notes it, if the store can't now
        noting = self._store.outbox.sent(row, message_id, self._speaker, self._version)
        may_stand = await asyncio.shield(noting)
        del self._made[row.id]
        self._tried.discard(row.id)
        if not may_stand:
            return await self._take_back(row, message_id)
        self._count(row, "sent")
        return True

    async def _send(self, row: Post, doubtful: bool) -> str:
        """Return the id of the new post, or of one that an earlier try made; "" if the platform can't tell."""
        votes = self._places.talk(row.channel).feedback and row.origin.startswith("inbox:")
        decides = row.origin.startswith(DRAFTED)
        message = OutgoingMessage(
            row.channel, row.text, nonce_of(row), row.reply_to, row.after, votes, row.post_type, decides
        )
        if doubtful and row.post_type != "reaction":
            if not self._gateway.limits.idempotent_sends:
                return ""
            if earlier := await self._gateway.find(message):
                return earlier
            if self._is_expired(row):
                raise _Expired
        if self._gateway.limits.idempotent_sends:
            self._tried.add(row.id)
        with self._metrics.seconds.labels("send").time():
            return await self._gateway.send(message)

    async def _take_back(self, row: Post, message_id: str) -> bool:
        """Delete a post whose answer was taken back, or forgotten, while it was being made."""
        if row.post_type != "reaction":
            try:
                await self._gateway.delete(row.channel, message_id)
            except (NotSent, Undeliverable, ResultUnknown) as failure:
                log.warning(Event("not taken back", channel=row.channel, reason=failure))
        self._count(row, "taken back")
        return False

    async def _doubt(self, row: Post) -> bool:
        await self._store.outbox.mark_uncertain(row)
        log.warning(Event("uncertain", channel=row.channel))
        self._count(row, "uncertain")
        await self._tell_owner(row, UNCERTAIN)
        return False

    async def _give_up(self, row: Post) -> bool:
        log.warning(Event("given up", channel=row.channel, reason="expired"))
        await self._store.outbox.fail(row, "expired", "could not be sent")
        self._count(row, "expired")
        await self._tell_owner(row, EXPIRED)
        return False

    async def _tell_owner(self, row: Post, reason: str) -> None:
        """Where an owner decided on a post, they are told that it may not stand."""
        if drafts_channel(row.channel):
            await self._on_undeliverable(row, reason)

    async def _refused(self, row: Post, reason: str) -> bool:
        log.warning(Event("undeliverable", channel=row.channel, reason=reason))
        await self._store.outbox.fail(row, "declined", "undeliverable")
        self._count(row, "undeliverable")
        if row.post_type != "reaction":
            await self._on_undeliverable(row, reason)
        return False

    def _is_expired(self, row: Post) -> bool:
        return self._store.clock() >= row.at + self._expires(row)

    def _expires(self, row: Post) -> float:
        return self._places.talk(row.channel).expires.total_seconds()

    def _is_idempotent(self, row: Post) -> bool:
        """Whether a post whose result is unknown may be made again: a reaction is there once, however often it is made."""
        return row.post_type == "reaction" or self._gateway.limits.idempotent_sends

    def _count(self, row: Post, result: str) -> None:
        counter = self._metrics.reactions if row.post_type == "reaction" else self._metrics.posts
        counter.labels(self._gateway.platform, result).inc()


def nonce_of(post: Post) -> str:
    """Return the same 25 characters for the same part of the same answer, in every process."""
    name = f"{post.account} {post.channel} {post.origin} {post.part}"
    return hashlib.sha256(name.encode()).hexdigest()[:25]
