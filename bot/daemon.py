"""The composition root: start in order, supervise, drain, stop in order."""

import asyncio
import logging
import signal
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.claims import Claims
from bot.gateway import Gateway, drafts_channel
from bot.health import LoopMonitor, shown
from bot.logs import hide
from bot.metrics import BotMetrics
from bot.notify import extending, feed_watchdog, notify
from bot.store import EVERYWHERE, LOGGED, BotStore, OutgoingPart, Post
from bot.store.address import store_url
from bot.supervisor import Supervisor
from bot.talk.channel_queues import ChannelQueues
from bot.talk.commands import Commands
from bot.talk.drafting import Drafter
from bot.talk.inbox_writer import InboxWriter
from bot.talk.introduction import introduction
from bot.talk.listener import Listener
from bot.talk.pace import NO_TIMING, Pace
from bot.talk.places import Places
from bot.talk.proactive_posts import ProactivePosts
from bot.talk.recollection import Recollection
from bot.talk.reply import Replier
from bot.talk.sender import EXPIRED, UNCERTAIN, Sender
from bot.talk.turn_taking import NO_THRESHOLD, TurnTaking
from bot.tasks import end, in_daemon_thread
from bot.timeline import Timeline
from engine.choose import open_voice
from engine.voice import Voice
from persona.config import Settings
from persona.credentials import NAMES, secret
from persona.events import Event

log = logging.getLogger("alterego.daemon")

PURGE_EVERY = 6 * 3600.0
NOT_POSTED = "Not posted: the answer was refused. A call as a guest can be answered for a short while only."
NOT_POSTED_FOR = {  # what an owner is told else, by reason
    EXPIRED: "Not posted: Telegram took nothing for too long.",
    UNCERTAIN: "It may be posted or not: the connection broke while it was sent. Look there.",
}
POLL_OUTBOX_EVERY = 2.0  # seconds between looks for posts that the studio put into the outbox


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds between tries. first, longest: to connect a gateway. work: the first and longest for an answer or a post
    that failed."""

    first: float = 1.0
    longest: float = 300.0
    work: tuple[float, float] = (1.0, 60.0)


async def serve(
    settings: Settings, gateways: Sequence[Gateway], *, until_first_ends: bool = False, drains: bool = True
) -> None:
    """Run until SIGTERM or SIGINT, or until no gateway is left. until_first_ends: stop when a gateway's run() returns.
    drains: finish the work in progress first. Raises PermanentError if a restart can't help."""
    if not drains:
        settings = settings.model_copy(update={"daemon": settings.daemon.model_copy(update={"drain_seconds": 0.0})})
    hide([secret(name, settings) or "" for name in NAMES])
    async with AsyncExitStack() as stack:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        with extending():
            voice = await _unless(stopping, _voice(settings, stack))
        if voice:  # a store is made only for a bot that can speak
            store = await BotStore.open(store_url(settings), settings.state)
            stack.push_async_callback(store.close)
            await BotDaemon(settings, store, voice, gateways).run(stopping, until_first_ends)


async def _unless(stopping: asyncio.Event, opening: Coroutine[Any, Any, Voice]) -> Voice | None:
    """Return what is opened; None as soon as it is to stop, for a large model takes a minute."""
    task, stop = asyncio.create_task(opening), asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stopped = stop.done()
    await end([stop, task] if stopped else [stop])
    return None if stopped else await task


async def _voice(settings: Settings, stack: AsyncExitStack) -> Voice:
    voice = await in_daemon_thread(partial(open_voice, settings))
    stack.push_async_callback(voice.engine.close)
    await voice.engine.start()
    log.info(Event("voice", engine=voice.engine.name, version=voice.version, speaker_count=len(voice.seal.speakers)))
    return voice


class BotDaemon:
    """Everything that runs, once store and engine are there."""

    def __init__(
        self,
        settings: Settings,
        store: BotStore,
        voice: Voice,
        gateways: Sequence[Gateway],
        pauses: Pauses | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._voice = voice
        self._gateways = gateways
        self._began = time.monotonic()
        self._pauses = pauses = pauses or Pauses()
        self.metrics = BotMetrics()
        store.database.on_fault = lambda reason: self.metrics.store_faults.labels(reason).inc()
        self._queues = ChannelQueues(*pauses.work)
        self._claims = Claims(store.database, settings.state)
        self._places = Places(settings.talk_in)
        if settings.wants_unprompted and voice.seal.speaking_up is None:
            log.warning(NO_THRESHOLD)
        if settings.wants_rhythm and voice.timing is None:
            log.warning(NO_TIMING)
        self._pace = Pace(store, self._places, voice.timing)
        self._recollection = Recollection(store, voice, settings, self._places)
        self._proactive = ProactivePosts(store, voice, self._places, self.metrics, self._recollection)
        self._senders = {gateway.platform: self._sender(gateway) for gateway in gateways}
        self._writers = {gateway.platform: self._writer(gateway) for gateway in gateways}
        self.supervisor = Supervisor(
            gateways,
            lambda gateway: self._writers[gateway.platform],
            lambda gateway: bool(self._writers[gateway.platform].account),
            first_pause=pauses.first,
            longest_pause=pauses.longest,
        )

    def _sender(self, gateway: Gateway) -> Sender:
        shared = (self._places, self._pace, self.metrics, self._not_posted, self._pauses.work)
        return Sender(self._store, gateway, self._voice.seal.speaker, *shared, self._voice.version)

    def _writer(self, gateway: Gateway) -> InboxWriter:
        store, settings, places, metrics = self._store, self._settings, self._places, self.metrics
        sender = self._senders[gateway.platform]
        listener = Listener(store, settings, self._voice.seal)
        drafter = Drafter(store, gateway, self._voice, listener, settings, places, metrics, self._recollection)
        talk = (places, self._pace, metrics)
        replier = Replier(store, gateway, self._voice, sender, drafter, settings, *talk, self._dispatch)
        turn_taking = TurnTaking(store, self._voice, drafter, replier, *talk)
        commands = Commands(store, settings, places, self._proactive, gateway, self._status, self._voice.version)
        claim = self._claims.claim
        return InboxWriter(
            store,
            settings,
            listener,
            replier,
            turn_taking,
            sender,
            commands,
            places,
            self._pace,
            self._queues,
            metrics,
            claim,
            gateway.platform,
            gateway.limits,
        )

    async def run(self, stopping: asyncio.Event, until_first_ends: bool) -> None:
        """Run all parts. Once stopping, commit nothing more and finish the work in progress."""
        async with shown(self._settings.metrics, self.metrics, self.state):
            monitor = LoopMonitor(self.metrics, lambda: max(writer.stuck_for() for writer in self._writers.values()))
            chores = [
                asyncio.create_task(chore)
                for chore in (monitor.run(), feed_watchdog(monitor.alive), self._purge(), self._poll_outbox())
            ]
            stop = asyncio.create_task(stopping.wait())
            timeline = self._timeline()
            if timeline:
                await timeline.start()
            self.supervisor.start()
            notify("READY=1")
            try:
                await self.supervisor.until_over(stop, first_ends=until_first_ends)
            finally:
                notify("STOPPING=1")
                await self._stop(timeline, [*chores, stop])

    async def _stop(self, timeline: Timeline | None, chores: "list[asyncio.Task[Any]]") -> None:
        if timeline:
            timeline.close()
        for writer in self._writers.values():
            writer.stop()
        self._pace.hurry()
        done = await self._queues.drain(self._settings.daemon.drain_seconds)
        log.info(Event("drained", all=done, hint="" if done else "the rest is taken up at the next start"))
        await self.supervisor.stop()
        await end(chores)
        await self._claims.close()

    def _timeline(self) -> Timeline | None:
        if not (self._settings.tweets.enabled and self._settings.tweets.to):
            return None
        limits = {gateway.platform: gateway.limits for gateway in self._gateways}
        is_own = self._settings.talk.rhythm == "mine"
        return Timeline(
            self._store,
            self._proactive,
            self._settings.tweets,
            self._account,
            self._dispatch,
            limits,
            self._opening,
            self._voice.timing if is_own else None,
        )

    def _account(self, platform: str) -> str:
        """Return the open account on a platform; empty before it is open."""
        writer = self._writers.get(platform)
        return writer.account if writer else ""

    async def _opening(self, account: str, channel: str) -> list[OutgoingPart]:
        """What goes before a tweet into a channel: that it is a machine, if it is to say so and hasn't yet."""
        if not self._places.talk(channel).introduce:
            return []
        limits = next(gateway.limits for gateway in self._gateways if channel.startswith(f"{gateway.platform}:"))
        return await introduction(self._store, self._settings.persona.name, limits, account, channel)

    def _dispatch(self, post: Post) -> None:
        self._writers[post.channel.partition(":")[0]].deliver(post)

    async def _not_posted(self, post: Post, reason: str) -> None:
        """Tell the owner of a chat what could not be posted there. A tweet that can't be posted somewhere is not tried there
        again before the next start, or for a day."""
        if owner := drafts_channel(post.channel):
            origin = f"{LOGGED}not posted {post.id}"
            told = [OutgoingPart(NOT_POSTED_FOR.get(reason, NOT_POSTED), ())]
            for line in await self._store.outbox.put(post.account, owner, origin, told):
                self._dispatch(line)
        if post.origin.startswith("tweet:"):
            log.error(
                Event(
                    "target disabled", channel=post.channel, reason=reason, hint="mend it or take it out of [tweets] to"
                )
            )
            await self._store.channels.disable_target(post.account, post.channel, reason)

    def _named_channels(self) -> set[str]:
        """Return the channels that the settings name."""
        return self._settings.named_channels | set(self._settings.tweets.to)

    async def _purge(self) -> None:
        while True:
            try:
                gone = await self._store.purge(self._settings.store.keep_days, self._named_channels())
                log.info(Event("purged", rows=gone))
            except Exception as error:  # the one broad catch of this loop: a full disk today is none tomorrow
                log.warning(Event("purge failed", kind=type(error).__name__))
            await asyncio.sleep(PURGE_EVERY)

    async def _poll_outbox(self) -> None:
        while True:
            await asyncio.sleep(POLL_OUTBOX_EVERY)
            try:
                for writer in self._writers.values():
                    await writer.poll_outbox()
            except Exception as error:  # the one broad catch of this loop: a locked store today is none tomorrow
                log.warning(Event("outbox not read", kind=type(error).__name__))

    async def state(self) -> Mapping[str, Any]:
        """How it is: gateways, verdicts, what waits. ok: whether anything is connected that may speak."""
        verdicts, oldest = await self._store.inbox.verdicts(), await self._store.inbox.oldest()
        age = max(0.0, self._store.clock() - oldest) if oldest else 0.0
        self.metrics.inbox_age.set(age)
        self.metrics.inbox.clear()
        for name in {*verdicts, "waiting"}:
            self.metrics.inbox.labels(name).set(verdicts.get(name, 0))
        up = {name: state == "running" and bool(self._account(name)) for name, state in self.supervisor.states.items()}
        for platform, is_up in up.items():
            self.metrics.gateway.labels(platform).set(is_up)
        return {
            "ok": any(up.values()),
            "uptime_seconds": round(time.monotonic() - self._began),
            "engine": self._voice.engine.name,
            "adapter": self._voice.seal.created,
            "gateways": dict(self.supervisor.states),
            "channels_behind": {name: writer.channels_behind for name, writer in self._writers.items()},
            "verdicts": verdicts,
            "inbox_age_seconds": round(age, 1),
        }

    async def _status(self) -> str:
        """Return the state as an owner reads it."""
        state = await self.state()
        paused = [
            writer.account
            for writer in self._writers.values()
            if writer.account and await self._store.channels.is_silent(writer.account, EVERYWHERE)
        ]
        lines = {
            "up": f"{state['uptime_seconds']} s",
            "engine": state["engine"],
            "adapter": f"sealed {state['adapter']}",
            "gateways": ", ".join(f"{name} {mode}" for name, mode in state["gateways"].items()),
            "verdicts": ", ".join(f"{name} {count}" for name, count in sorted(state["verdicts"].items())) or "none",
            "paused": ", ".join(paused) or "no",
        }
        return "\n".join(f"{name}: {value}" for name, value in lines.items())
