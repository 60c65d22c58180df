"""From a gateway into the store: one writer per account, in arrival order. Returns once committed."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.gateway import (
    Command,
    Decision,
    IncomingMessage,
    IncomingReaction,
    Limits,
    Vote,
    drafts_channel,
    takes_one_post,
)
from bot.metrics import BotMetrics
from bot.store import DRAFTED, BotStore, InboundMessage, OutgoingPart, PendingMessage, Post, drafted_channel
from bot.talk import delivery, policy
from bot.talk.channel_queues import ChannelQueues, Work
from bot.talk.commands import Commands
from bot.talk.introduction import in_one_post, introduction
from bot.talk.listener import Listener
from bot.talk.pace import DueTimers, Pace
from bot.talk.places import Places
from bot.talk.reply import Replier
from bot.talk.sender import Sender, nonce_of
from bot.talk.turn_taking import TurnTaking
from persona.config import Settings
from persona.events import Event

log = logging.getLogger("alterego.inbox_writer")


_PARTS = re.compile("[:@]")  # of a channel's name
_DECIDED = "That was decided before, or the chat went on."
_NO_WORDS = "Instead of a draft I can send words only. The draft still waits."
_UNPARSABLE = (TypeError, ValueError, LookupError, AttributeError)  # never the store's trouble, which passes


class InboxWriter:
    """The Intake of one gateway. claim: called with the account once it is known; raises if another process has it."""

    def __init__(
        self,
        store: BotStore,
        settings: Settings,
        listener: Listener,
        replier: Replier,
        turn_taking: TurnTaking,
        sender: Sender,
        commands: Commands,
        places: Places,
        pace: Pace,
        queues: ChannelQueues,
        metrics: BotMetrics,
        claim: Callable[[str], Awaitable[None]],
        platform: str,
        limits: Limits,
    ) -> None:
        self._store = store
        self._settings = settings
        self._listener = listener
        self._replier = replier
        self._turn_taking = turn_taking
        self._sender = sender
        self._commands = commands
        self._places = places
        self._pace = pace
        self._timers = DueTimers()
        self._queues = queues
        self._metrics = metrics
        self._claim = claim
        self._platform = platform
        self._limits = limits
        self._taking = asyncio.Event()  # from opened() to stop()
        self._stopped = False
        self._busy_since: float | None = None
        self._in_hand: set[int] = set()  # posts that another process put into the outbox
        self.account = ""
        self.channels_behind = 0

    def stop(self) -> None:
        """Commit nothing any more. Later calls wait until the process ends, so that the platform or the watermark still
        has their messages at the next start."""
        self._stopped = True
        self._taking.clear()
        self._turn_taking.stop()
        self._timers.stop()

    def stuck_for(self) -> float:
        """Return the seconds that the current commit has taken."""
        return time.monotonic() - self._busy_since if self._busy_since is not None else 0.0

    async def opened(self, account: str, name: str) -> None:
        """Queue what an earlier process left: posts first, then messages without a verdict."""
        if self.account == account or self._stopped:
            return
        await self._claim(account)
        await self._store.channels.keep_account(account)
        await self._store.channels.enable_targets(account)
        self._places.learn(await self._store.channels.surroundings(account))
        for old, new in (await self._store.channels.moves(account)).items():
            self._places.moved(old, new)
        self.account = account
        self._taking.set()
        posts, waiting = await self._store.outbox.unsent(account), await self._store.inbox.waiting(account)
        self._in_hand |= {post.id for post in posts}
        self._sender.take_over(posts)
        for post in posts:
            self.deliver(post)
        for message in waiting:
            self._pace.expect(account, message.channel, message.due_at)
            self._dispatch(message)
        log.info(Event("open", account=account, unsent=len(posts), waiting=len(waiting)))

    async def poll_outbox(self) -> None:
        """Send what another process has put into the outbox."""
        if not self._taking.is_set():
            return
        for post in await self._store.outbox.handed_in(self.account):
            if post.id not in self._in_hand:
                self._in_hand.add(post.id)
                self.deliver(post)

    def deliver(self, post: Post) -> None:
        """Queue a post in its channel."""
        self._queues.put(self._lane(post.channel), partial(self._sender.deliver, post))

    async def received(self, *messages: IncomingMessage) -> None:
        """Commit messages, and queue those that ask for an answer."""
        await self._taking.wait()
        self._busy_since = time.monotonic()
        inside = self._places.unknown(messages)
        self._places.learn(inside)
        try:
            with self._metrics.seconds.labels("commit").time():
                inbound = await self._parsed(messages)
                unnamed = _named_by_strangers(messages, inbound)
                marks = {message.channel: message.message_id for message in messages if message.channel not in unnamed}
                known = {channel: places for channel, places in inside.items() if channel not in unnamed}
                pending = await self._store.inbox.commit(self.account, inbound, marks, known)
        except BaseException:
            self._places.forget(inside)  # the store doesn't know it
            raise
        finally:
            self._busy_since = None
        self._metrics.received.labels(self._platform).inc(len(inbound))
        for message in pending:
            self._dispatch(message)
        self._look_at(messages, inbound)
        for channel in {message.channel for message in inbound if not message.author_id}:
            if drafts_channel(channel):
                await self._store.drafts.answered_by_owner(self.account, channel)

    async def _parsed(self, messages: Sequence[IncomingMessage]) -> list[InboundMessage]:
        """Return the messages as they are kept, each with its trigger. One that can't be parsed is quarantined by itself:
        with the others kept back, the platform would send all of them again and again."""
        by_id = {(message.channel, message.message_id): message for message in messages}
        try:
            inbound = await self._listener.parse(self.account, messages)
            called = [
                await self._with_trigger(message, by_id[message.channel, message.message_id]) for message in inbound
            ]
            # a private message that will never be answered is nobody's context
            return [message for message in called if message.trigger or not (message.is_dm and message.author_id)]
        except _UNPARSABLE as error:
            if len(messages) == 1:
                await self.quarantine(f"{messages[0].channel} {messages[0].message_id}", type(error).__name__)
                return []
        return [parsed for message in messages for parsed in await self._parsed([message])]

    def _look_at(self, messages: Sequence[IncomingMessage], inbound: Sequence[InboundMessage]) -> None:
        """Let turn-taking decide on the messages of others that ask for nothing."""
        kept = {(message.channel, message.message_id): message for message in inbound if message.author_id}
        for message in messages:
            if committed := kept.get((message.channel, message.message_id)):
                self._turn_taking.heard(message, committed, self._put, self._dispatch)

    def _put(self, channel: str, work: Work) -> None:
        self._queues.put(self._lane(channel), work)

    async def _with_trigger(self, inbound: InboundMessage, message: IncomingMessage) -> InboundMessage:
        if not inbound.author_id:
            return inbound  # the persona's own words, said by its owner
        talk, persona = self._places.talk(inbound.channel), self._settings.persona
        names = (persona.name, *(alias for alias in persona.aliases if not alias.isdecimal()))
        trigger = policy.calls(message, talk, names=names)
        return replace(inbound, trigger=trigger, due_at=await self._pace.due_at(inbound)) if trigger else inbound

    async def edited(self, message: IncomingMessage) -> None:
        """Remember a message as it reads now, if it is remembered."""
        await self._taking.wait()
        lines = await self._listener.lines_now(self.account, message)
        await self._store.memory.edit(self.account, message.channel, message.message_id, lines)

    async def deleted(self, channel: str, message_ids: Sequence[str]) -> None:
        """Forget messages; what was still to be answered is declined."""
        await self._taking.wait()
        await self._store.memory.delete(self.account, channel, message_ids)

    async def reacted(self, reaction: IncomingReaction) -> None:
        """Remember a reaction to a remembered message, or forget one that was taken back."""
        await self._taking.wait()
        memory, message_id = self._store.memory, reaction.message_id
        channel = await memory.channel_of(self.account, reaction.channel, message_id)
        if channel is None:
            return
        platform = self.account.partition(":")[0]
        if reaction.is_back:
            gone = await memory.unreact(self.account, channel, message_id, reaction.author_id, reaction.emoji)
            self._metrics.reactions.labels(platform, "taken back").inc(gone)
        elif inbound := await self._listener.parse_reaction(self.account, replace(reaction, channel=channel)):
            self._metrics.reactions.labels(platform, "received").inc(await memory.react(inbound))

    async def rated(self, vote: Vote) -> None:
        """Keep what somebody thinks of an answer, if they want to be stored."""
        await self._taking.wait()
        platform = self.account.partition(":")[0]
        if await self._store.people.opted_out(platform, [vote.author_id]):
            return
        if origin := await self._store.outbox.origin_of(self.account, vote.channel, vote.message_id):
            place = (self.account, vote.channel, origin, vote.message_id, vote.author_id)
            kept = await self._store.people.rate(*place, vote.score)
            log.info(Event("rated", channel=vote.channel, score=vote.score, kept=kept))

    async def decided(self, decision: Decision) -> str:
        """Send, correct or drop an answer that was drafted for an owner."""
        await self._taking.wait()
        drafts = self._store.drafts
        shown = await self._store.outbox.origin_of(self.account, decision.channel, decision.message_id)
        shown = shown or await self._now_known(decision)
        if not shown.startswith(DRAFTED):
            return ""
        if not decision.send:
            return "Dropped." if await drafts.drop(self.account, shown) else _DECIDED
        if decision.text is None:
            posts = await drafts.send(self.account, shown)
        elif parts := await self._instead(shown, decision.text):
            posts = await drafts.correct(self.account, shown, decision.text, parts)
        else:
            return _NO_WORDS
        for post in posts:
            self.deliver(post)
        return "Sent." if posts else _DECIDED

    async def _now_known(self, decision: Decision) -> str:
        """Return the origin of a draft of which nobody knew whether it was shown; "" if it is none."""
        for post in await self._store.drafts.doubtful(self.account, decision.channel):
            if nonce_of(post) == decision.nonce:
                await self._store.drafts.seen(post, decision.message_id)
                return post.origin
        return ""

    async def _instead(self, shown: str, text: str) -> Sequence[OutgoingPart]:
        """Return the posts of what an owner says instead of a draft."""
        channel = drafted_channel(shown)
        talk = self._places.talk(channel)
        lines = [line for line in text.splitlines() if line.strip()]
        parts = delivery.posts(lines, self._limits, bursts=talk.bursts)
        if not takes_one_post(channel):
            return parts
        place = (self._settings.persona.name, self._limits, self.account, channel)
        return in_one_post(parts, await introduction(self._store, *place) if talk.introduce else [], self._limits)

    async def connected_to(self, owner: str, connection: str) -> None:
        """Note over which connection an owner's chats are reached."""
        await self._store.drafts.connect(self.account, owner, connection)

    async def connections(self) -> Mapping[str, str]:
        """Return the connections to owners' chats, by owner."""
        return await self._store.drafts.connections(self.account)

    async def commanded(self, command: Command) -> str:
        """Run a command, if its author may give it."""
        await self._taking.wait()
        answer, posts = await self._commands.obey(self.account, command)
        for post in posts:
            self.deliver(post)
        return answer

    async def moved(self, old: str, new: str) -> None:
        """Rename a channel in everything that is stored of it."""
        await self._store.channels.move(self.account, old, new)
        self._places.moved(old, new)
        log.info(Event("moved", channel=old, to=new))

    async def moves(self) -> Mapping[str, str]:
        """Return the channels that were renamed: old -> new."""
        return await self._store.channels.moves(self.account)

    async def access_requested(self, place: str) -> None:
        """Note somebody who wrote and is not on the allowlist."""
        await self._store.people.access_requested(self.account, place)

    async def connected(self, at: float) -> None:
        """Note until when the gateway received everything."""
        await self._store.channels.keep_connected(self.account, at)

    async def connected_at(self) -> float | None:
        """Return until when the gateway received everything."""
        return await self._store.channels.connected_at(self.account)

    async def settled(self, channel: str) -> None:
        """Wait until this channel's work is done."""
        await self._queues.settled(self._lane(channel))

    async def watermarks(self) -> Mapping[str, str]:
        """Return the id of the last committed message of each channel."""
        return await self._store.channels.watermarks(self.account)

    def heard(self) -> None:
        """Note when the platform last sent something."""
        self._metrics.last_event.labels(self._platform).set_to_current_time()

    def dropped(self) -> None:
        """Count an event that found no room."""
        self._metrics.dropped.labels(self._platform).inc()

    def reconnected(self) -> None:
        """Count a connection that was lost and is back."""
        self._metrics.reconnects.labels(self._platform).inc()

    def catching_up(self, channels: int) -> None:
        """Count the channels that are still being read up to now."""
        self._metrics.caught_up.labels(self._platform).inc(max(0, self.channels_behind - channels))
        self.channels_behind = channels
        self._metrics.channels_behind.labels(self._platform).set(channels)

    async def quarantine(self, update: str, reason: str) -> None:
        """Quarantine an update that can't be parsed."""
        log.warning(Event("update put away", account=self.account, reason=reason))
        await self._store.channels.quarantine(self.account, update, reason)

    def _dispatch(self, pending: PendingMessage) -> None:
        """Queue a message, once it is due: what isn't yet holds nothing up, and waits in the store."""
        if seconds := self._pace.seconds_until(pending.channel, pending.due_at):
            self._timers.after(seconds, partial(self._queue, pending))
        else:
            self._queue(pending)

    def _queue(self, pending: PendingMessage) -> None:
        since = time.monotonic()

        async def answer() -> None:
            self._metrics.seconds.labels("wait").observe(time.monotonic() - since)
            await self._replier.answer(pending)

        self._queues.put(self._lane(pending.channel), answer)

    def _lane(self, channel: str) -> str:
        return f"{self.account} {channel}"


def _named_by_strangers(messages: Sequence[IncomingMessage], kept: Sequence[InboundMessage]) -> set[str]:
    """Return the channels that bear the id of somebody of whom nothing is kept, such as whoever opted out."""
    named = {message.channel for message in messages if message.author_id in _PARTS.split(message.channel)}
    return named - {message.channel for message in kept}
