"""From a gateway into the store: one committer per account, in arrival order. Returns only when committed."""

import logging
import random
from collections.abc import Callable, Mapping
from functools import partial

from bot.gateways.base import IncomingMessage
from bot.store import Bearer, Heard, Store, Waiting
from bot.talk import policy
from bot.talk.lanes import Lanes
from bot.talk.reply import Replier
from bot.talk.sender import Sender
from bot.talk.speakers import live_key
from persona.bundle import Seal
from persona.config import Settings
from persona.transcript import plain_lines

log = logging.getLogger("alterego.intake")


class Committer:
    """The Intake of one gateway. claim: called with the account once it is known; raises where another process has it."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        seal: Seal,
        replier: Replier,
        sender: Sender,
        lanes: Lanes,
        claim: Callable[[str], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._seal = seal
        self._replier = replier
        self._sender = sender
        self._lanes = lanes
        self._claim = claim
        self._bearers: dict[str, dict[str, Bearer]] = {}
        self._luck = random.Random()
        self.account = ""

    async def opened(self, account: str, name: str) -> None:
        """Take up what an earlier process left: posts first, then messages without a verdict."""
        if self.account == account:
            return
        self._claim(account)
        self.account = account
        posts, waiting = await self._store.unsent(account), await self._store.waiting(account)
        for post in posts:
            self._lanes.put(self._lane(post.channel), partial(self._sender.deliver, post))
        for one in waiting:
            self._hand_over(one)
        log.info("open account=%s unsent=%d waiting=%d", account, len(posts), len(waiting))

    async def received(self, message: IncomingMessage) -> None:
        """Commit a message; hand it over if it calls for an answer."""
        bearer = await self._bearer(message)
        lines = plain_lines(message.text) + tuple(f"[{kind}]" for kind in message.attachments)
        called = policy.calls(message, self._settings.talk, names=self._called(), luck=self._luck.random())
        heard = Heard(
            account=self.account,
            channel=message.channel,
            message_id=message.message_id,
            author_id=message.author_id,
            speaker=bearer.speaker,
            lines=lines or (f"@{self._settings.persona.name}",),
            at=message.at,
            is_dm=message.is_dm,
            wanted=called is not None,
        )
        row = await self._store.commit(heard)
        if row is not None:
            self._hand_over(
                Waiting(
                    row, self.account, message.channel, message.message_id, message.author_id, message.is_dm, message.at
                )
            )

    async def connected(self, at: float) -> None:
        """Note until when the gateway heard everything."""
        await self._store.keep_connected(self.account, at)

    async def connected_at(self) -> float | None:
        """Until when the gateway heard everything."""
        return await self._store.connected_at(self.account)

    async def settled(self, channel: str) -> None:
        """Wait until this channel's work is done."""
        await self._lanes.settled(self._lane(channel))

    async def watermarks(self) -> Mapping[str, str]:
        """The last committed message of each channel."""
        return await self._store.watermarks(self.account)

    async def quarantine(self, update: str, reason: str) -> None:
        """Put an unreadable update away."""
        log.warning("update put away account=%s reason=%s", self.account, reason)
        await self._store.quarantine(self.account, update, reason)

    def _hand_over(self, waiting: Waiting) -> None:
        self._lanes.put(self._lane(waiting.channel), partial(self._replier.answer, waiting))

    def _lane(self, channel: str) -> str:
        return f"{self.account} {channel}"

    def _called(self) -> tuple[str, ...]:
        persona = self._settings.persona
        return (persona.name, *(alias for alias in persona.aliases if not alias.isdecimal()))

    async def _bearer(self, message: IncomingMessage) -> Bearer:
        """The key of the author in this channel; the same for as long as the channel is known."""
        here = self._bearers.get(message.channel)
        if here is None:
            here = self._bearers[message.channel] = await self._store.bearers(self.account, message.channel)
        if (known := here.get(message.author_id)) is None:
            platform = message.channel.partition(":")[0]
            taken = {bearer.speaker for bearer in here.values()}
            known = Bearer(
                live_key(self._settings, self._seal, platform, message.author_id, message.author_name, taken),
                message.author_name,
            )
            await self._store.keep_bearer(self.account, message.channel, message.author_id, known)
            here[message.author_id] = known
        return known
