"""How long the persona takes to turn to a message and to type an answer. Waits are due times, or end when it is to hurry."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bot.gateway import drafts_channel
from bot.store import BotStore, InboundMessage
from bot.talk import delivery
from bot.talk.places import Places
from persona.reply_timing import HOT_SECONDS, ReplyTiming, draw_of

NO_TIMING = (
    '[talk] rhythm = "mine" does nothing: this bundle doesn\'t know when the person writes, for too few of their messages '
    "have a time; import exports with times and train again"
)
MAX_SHARE_OF_EXPIRY = 0.9  # of the time after which a message is not answered any more


class Pace:
    """The person's times, where [talk] rhythm wants them. timing: None if the bundle has none."""

    def __init__(self, store: BotStore, places: Places, timing: ReplyTiming | None) -> None:
        self._store = store
        self._places = places
        self._timing = timing
        self._visits: dict[str, float] = {}  # when the persona turns to a channel next
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """End all pauses, and begin no more: the process is to stop."""
        self._hurry.set()

    def is_asleep(self, channel: str) -> bool:
        """Return whether the person never writes at this hour."""
        timing = self._timing_in(channel)
        return timing is not None and timing.is_asleep(self._now())

    async def due_at(self, message: InboundMessage) -> float:
        """Return when the persona turns to a message, UTC seconds; 0 for at once. Whoever turns to a channel reads all that
        waits there: what is said while something waits is due with it."""
        timing, now = self._timing_in(message.channel), self._store.clock()
        if timing is None:
            return 0.0
        visit = self._visits.get(f"{message.account} {message.channel}", 0.0)
        if now < visit <= now + self.longest(message.channel):
            return visit
        own = await self._store.memory.own(message.account, message.channel, 1)
        at = min(message.at, now)  # a clock that is ahead of ours is no reason to wait
        wait = timing.wait(
            datetime.fromtimestamp(at, UTC),
            is_hot=bool(own) and 0 <= at - own[0].at <= HOT_SECONDS,
            characters=len(message.lines[-1]) if message.lines else 0,
            draw=draw_of(message.account, message.channel, message.message_id),
            most=self.longest(message.channel),
        )
        due = at + wait
        if due <= now:
            return 0.0
        self.expect(message.account, message.channel, due)
        return due

    def expect(self, account: str, channel: str, due_at: float) -> None:
        """Note when the persona turns to a channel."""
        self._visits[f"{account} {channel}"] = due_at

    def seconds_until(self, channel: str, due_at: float) -> float:
        """Return the seconds until a due time; none that no wait could have had, where the clock was set back."""
        return min(max(0.0, due_at - self._store.clock()), self.longest(channel))

    def longest(self, channel: str) -> float:
        """Return the seconds that a message waits at most."""
        talk = self._places.talk(channel)
        return min(talk.rhythm_cap.total_seconds(), MAX_SHARE_OF_EXPIRY * talk.expires.total_seconds())

    def typing_seconds(self, channel: str, text: str) -> float:
        """Return the seconds that typing a text takes."""
        if not self._places.talk(channel).typing:
            return 0.0
        timing = self._timing_in(channel)
        own = timing.typing_seconds(text) if timing else None
        return delivery.pause(text) if own is None else min(own, self.longest(channel))

    async def typed(self, channel: str, text: str, began: float) -> None:
        """Wait until a first message is typed that was begun then, on time.monotonic()'s clock. In the bot's own rhythm it is
        posted as soon as it is there."""
        if self._timing_in(channel) and self._places.talk(channel).typing:
            await self.pause(self.typing_seconds(channel, text) - (time.monotonic() - began))

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until it is to hurry."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), seconds)

    def _timing_in(self, channel: str) -> ReplyTiming | None:
        """Return the person's times if they hold in a channel: not for whoever sits at the terminal, nor for drafts."""
        is_chat = not (channel.startswith("terminal:") or drafts_channel(channel))
        return self._timing if is_chat and self._places.talk(channel).rhythm == "mine" else None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._store.clock(), UTC)


class DueTimers:
    """What is to be done at a due time: a timer for each, none of which outlives the work."""

    def __init__(self) -> None:
        self._timers: set[asyncio.TimerHandle] = set()
        self._is_stopped = False

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something in so many seconds, unless stopped before."""
        if self._is_stopped:
            return

        def due() -> None:
            self._timers.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    def stop(self) -> None:
        """Do nothing of it any more; the store knows what waits."""
        self._is_stopped = True
        for timer in self._timers:
            timer.cancel()
