"""Posts what lies in the outbox, each row once, as far as the platform can tell."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable

from bot.backoff import Backoff
from bot.gateway import Gateway, NotSent, OutgoingMessage, ResultUnknown, Undeliverable
from bot.metrics import BotMetrics
from bot.store import BotStore, Post
from bot.talk import delivery
from bot.talk.policy import EXPIRES
from persona.config import Talk
from persona.events import Event

log = logging.getLogger("alterego.sender")

OnUndeliverable = Callable[[Post, str], Awaitable[None]]


class Sender:
    """Delivers for one gateway. speaker: the persona's key, under which posts are remembered. on_undeliverable: told of a post
    that can never be made."""

    def __init__(
        self,
        store: BotStore,
        gateway: Gateway,
        speaker: str,
        talk: Talk,
        metrics: BotMetrics,
        on_undeliverable: OnUndeliverable,
        waits: tuple[float, float] = (1.0, 60.0),
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._speaker = speaker
        self._talk = talk
        self._metrics = metrics
        self._on_undeliverable = on_undeliverable
        self._first, self._longest = waits

    async def deliver(self, post: Post) -> bool:
        """Post it, or record why not. A post that was being sent when the process ended is looked for first; where the
        platform can't tell, it stays uncertain. False where it was not made: then the rest of its answer isn't either."""
        doubtful = post.state == "sending"
        if self._talk.typing and post.part > 0 and not doubtful:
            async with self._gateway.typing(post.channel):
                await asyncio.sleep(delivery.pause(post.text))
        if not await self._store.outbox.begin(post):
            return False
        backoff = Backoff(self._first, self._longest)
        while self._store.clock() < post.at + EXPIRES:
            wait = 0.0
            try:
                return await self._try(post, doubtful)
            except NotSent as refusal:
                wait = backoff.pause(at_least=refusal.wait)
                log.warning(Event("not sent", channel=post.channel, reason=refusal, again_in_seconds=round(wait, 1)))
            except ResultUnknown as failure:
                doubtful = True
                log.warning(Event("result unknown", channel=post.channel, reason=failure))
                if not self._gateway.limits.idempotent_sends:
                    continue
            except Undeliverable as refusal:
                log.warning(Event("undeliverable", channel=post.channel, reason=refusal))
                await self._store.outbox.fail(post, "declined", "undeliverable")
                await self._on_undeliverable(post, str(refusal))
                return False
            await asyncio.sleep(wait or backoff.pause())
        log.warning(Event("given up", channel=post.channel, reason="expired"))
        await self._store.outbox.fail(post, "expired", "could not be sent")
        return False

    async def _try(self, post: Post, doubtful: bool) -> bool:
        """Make the post, or find it made. doubtful: an earlier try may have made it."""
        votes = self._talk.feedback and post.origin.startswith("inbox:")
        message = OutgoingMessage(post.channel, post.text, nonce_of(post), post.reply_to, post.after, votes)
        if doubtful and not self._gateway.limits.idempotent_sends:
            await self._store.outbox.mark_uncertain(post)
            self._metrics.posts.labels(self._gateway.platform, "uncertain").inc()
            return True
        found = await self._gateway.find(message) if doubtful else None
        with self._metrics.seconds.labels("send").time():
            message_id = found or await self._gateway.send(message)
        await self._store.outbox.sent(post, message_id, self._speaker)
        self._metrics.posts.labels(self._gateway.platform, "sent").inc()
        return True


def nonce_of(post: Post) -> str:
    """The same 25 characters for the same part of the same answer, in every process."""
    name = f"{post.account} {post.channel} {post.origin} {post.part}"
    return hashlib.sha256(name.encode()).hexdigest()[:25]
