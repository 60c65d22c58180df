"""Posts what lies in the outbox, each row once, as far as the platform can tell."""

import asyncio
import hashlib
import logging

from bot.gateways.base import Gateway, NotSent, OutgoingMessage, ResultUnknown, Undeliverable
from bot.store import Post, Store
from bot.talk import delivery
from persona.transcript import plain_lines

log = logging.getLogger("alterego.sender")

LONGEST_WAIT = 60.0  # seconds between two tries


class Sender:
    """Delivers for one gateway. speaker: the persona's key, under which posts are remembered. typing: pause like a
    person before each."""

    def __init__(self, store: Store, gateway: Gateway, speaker: str, typing: bool) -> None:
        self._store = store
        self._gateway = gateway
        self._speaker = speaker
        self._typing = typing

    async def deliver(self, post: Post) -> None:
        """Post it, or record why not. A post that was being sent when the process ended is looked for first; where the
        platform can't tell, it stays uncertain."""
        message = OutgoingMessage(post.channel, post.text, nonce_of(post), post.reply_to, post.after)
        if post.state == "sending":
            if await self._resolved(post, message):
                return
        elif self._typing and post.part > 0:
            async with self._gateway.typing(post.channel):
                await asyncio.sleep(delivery.pause(post.text))
        await self._store.mark(post, "sending")
        await self._post(post, message)

    async def _post(self, post: Post, message: OutgoingMessage) -> None:
        wait = 1.0
        while True:
            try:
                return await self._sent(post, await self._gateway.send(message))
            except NotSent as refusal:
                wait = max(wait, refusal.wait)
                log.warning("not sent channel=%s reason=%s again_in=%.0fs", post.channel, refusal, wait)
            except Undeliverable as refusal:
                log.warning("undeliverable channel=%s reason=%s", post.channel, refusal)
                return await self._store.mark(post, "failed")
            except ResultUnknown as doubt:
                log.warning("result unknown channel=%s reason=%s", post.channel, doubt)
                if await self._resolved(post, message):
                    return None
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _resolved(self, post: Post, message: OutgoingMessage) -> bool:
        """Settle a post whose result is unknown. False: it was not made, and may be made now."""
        if not self._gateway.limits.resends:
            await self._store.doubt(post)
            return True
        found = await self._gateway.find(message)
        if found is not None:
            await self._sent(post, found)
        return found is not None

    async def _sent(self, post: Post, message_id: str) -> None:
        await self._store.sent(post, message_id, self._speaker, plain_lines(post.text))


def nonce_of(post: Post) -> str:
    """The same 25 characters for the same part of the same answer, in every process."""
    name = f"{post.account} {post.channel} {post.origin} {post.part}"
    return hashlib.sha256(name.encode()).hexdigest()[:25]
