"""The composition root: start in order, supervise, drain, stop in order."""

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import IO

from bot.engine.choose import open_voice
from bot.engine.voice import Voice
from bot.gateways.base import Gateway
from bot.notify import feed_watchdog, notify
from bot.store import Post, Store
from bot.talk.intake import Committer
from bot.talk.lanes import Lanes
from bot.talk.reply import Replier
from bot.talk.sender import Sender
from bot.timeline import Timeline
from persona.config import Settings
from persona.credentials import secret
from persona.fault import SettingsFault, StandingFault

log = logging.getLogger("alterego.daemon")

DRAIN_SECONDS = 10.0
LONGEST_PAUSE = 300.0  # seconds between two tries to connect
PURGE_EVERY = 6 * 3600.0


def gateways_of(settings: Settings) -> list[Gateway]:
    """The gateways that the settings enable. Raises SettingsFault where there is none, or a token is missing."""
    found: list[Gateway] = []
    if settings.discord.enabled:
        from bot.gateways.discord_gateway import DiscordGateway

        found.append(DiscordGateway(settings.discord, _token("DISCORD_TOKEN", settings)))
    if settings.telegram.enabled:
        from bot.gateways.telegram_gateway import TelegramGateway

        found.append(TelegramGateway(settings.telegram, _token("TELEGRAM_TOKEN", settings)))
    if not found:
        raise SettingsFault(
            f"nowhere to speak: set enabled = true under [discord] or [telegram] in {settings.path.name}, "
            "or run 'python -m bot chat'"
        )
    return found


def _token(name: str, settings: Settings) -> str:
    token = secret(name, settings)
    if not token:
        raise StandingFault(
            f"{name} is not set; put it into the environment or into {settings.root / '.env'} (mode 0600)"
        )
    return token


async def serve(settings: Settings, gateways: Sequence[Gateway], *, until_first_ends: bool = False) -> None:
    """Run until SIGTERM or SIGINT, or until no gateway is left. until_first_ends: stop when a gateway's run() returns.
    Raises StandingFault where a restart can't help."""
    async with AsyncExitStack() as stack:
        daemon = await _started(settings, gateways, stack)
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await daemon.run(stopping, until_first_ends)


async def _started(settings: Settings, gateways: Sequence[Gateway], stack: AsyncExitStack) -> "Daemon":
    store = await Store.open(secret("STORE_URL", settings) or settings.store.url, settings.state)
    stack.push_async_callback(store.close)
    voice = await asyncio.to_thread(open_voice, settings)
    await voice.engine.start()
    stack.push_async_callback(voice.engine.close)
    log.info("voice engine=%s speaker_count=%d", voice.engine.name, len(voice.seal.speakers))
    return Daemon(settings, store, voice, gateways)


class Daemon:
    """Everything that runs, once store and engine are there."""

    def __init__(self, settings: Settings, store: Store, voice: Voice, gateways: Sequence[Gateway]) -> None:
        self._settings = settings
        self._store = store
        self._voice = voice
        self._gateways = gateways
        self._lanes = Lanes()
        self._locks: list[IO[str]] = []
        self._senders = {one.platform: Sender(store, one, voice.seal.speaker, settings.talk.typing) for one in gateways}
        self._committers = {one.platform: self._committer(one) for one in gateways}

    def _committer(self, gateway: Gateway) -> Committer:
        sender = self._senders[gateway.platform]
        replier = Replier(self._store, gateway, self._voice, sender, self._settings)
        return Committer(self._store, self._settings, self._voice.seal, replier, sender, self._lanes, self._claim)

    async def run(self, stopping: asyncio.Event, until_first_ends: bool) -> None:
        """Run all parts; when told to stop, finish what is in hand."""
        tasks = [asyncio.create_task(self._supervised(gateway), name=gateway.platform) for gateway in self._gateways]
        chores = [asyncio.create_task(feed_watchdog(lambda: True)), asyncio.create_task(self._purge())]
        timeline = self._timeline()
        if timeline:
            await timeline.start()
        stop = asyncio.create_task(stopping.wait())
        notify("READY=1")
        try:
            await self._until_done(tasks, stop, until_first_ends)
        finally:
            notify("STOPPING=1")
            if timeline:
                timeline.close()
            await self._lanes.drain(DRAIN_SECONDS)
            for task in (*tasks, *chores, stop):
                task.cancel()
            await asyncio.gather(*tasks, *chores, stop, return_exceptions=True)
            for lock in self._locks:
                lock.close()

    async def _until_done(
        self, tasks: "list[asyncio.Task[None]]", stop: "asyncio.Task[bool]", until_first_ends: bool
    ) -> None:
        left = set(tasks)
        while left:
            done, _ = await asyncio.wait({*left, stop}, return_when=asyncio.FIRST_COMPLETED)
            if stop in done:
                return
            for task in done & left:
                left.discard(task)
                if not (fault := task.exception()) and until_first_ends:
                    return
                if fault and not left:
                    raise fault
                if fault:
                    log.error("parked gateway=%s reason=%s", task.get_name(), fault)

    async def _supervised(self, gateway: Gateway) -> None:
        """Run a gateway, and again after a growing pause whatever ended it; only a standing fault is final."""
        pause = 1.0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                return await gateway.run(self._committers[gateway.platform])
            except StandingFault:
                raise
            except Exception as error:  # the one broad catch of this loop: a gateway starts again on anything
                pause = 1.0 if loop.time() - began > LONGEST_PAUSE else pause
                log.warning(
                    "gateway ended gateway=%s kind=%s again_in=%.0fs",
                    gateway.platform,
                    type(error).__name__,
                    pause,
                    exc_info=log.isEnabledFor(logging.DEBUG),
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _timeline(self) -> Timeline | None:
        if not (self._settings.tweets.enabled and self._settings.tweets.to):
            return None
        units = {gateway.platform: gateway.limits.units for gateway in self._gateways}
        return Timeline(self._store, self._voice, self._settings.tweets, self._account, self._hand_over, units)

    def _account(self, platform: str) -> str:
        """The open account on a platform; empty before it is open."""
        committer = self._committers.get(platform)
        return committer.account if committer else ""

    def _hand_over(self, post: Post) -> None:
        sender = self._senders[post.channel.partition(":")[0]]
        self._lanes.put(f"{post.account} {post.channel}", partial(sender.deliver, post))

    def _claim(self, account: str) -> None:
        """One process an account: two would answer twice."""
        path = self._settings.state / f".{account.replace(':', '-')}.lock"
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StandingFault(f"another process already speaks for {account}; stop it first ({path})") from None
        lock.write(str(os.getpid()))
        self._locks.append(lock)

    async def _purge(self) -> None:
        while True:
            gone = await self._store.purge(self._settings.store.keep_days)
            log.info("purged rows=%d", gone)
            await asyncio.sleep(PURGE_EVERY)


def set_up_logging(level: int) -> None:
    """Our events on stderr. Libraries log message texts, and URLs with tokens in them, below WARNING: never let them."""
    logging.basicConfig(level=level, format="%(levelname)s %(name)s %(message)s")
    for name in (
        "discord",
        "telegram",
        "httpx",
        "httpcore",
        "aiosqlite",
        "sqlalchemy",
        "alembic",
        "apscheduler",
        "asyncio",
        "aiohttp",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns of the voice libraries that we don't want
