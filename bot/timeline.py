"""Random tweets: when (the only home of APScheduler), what, and where to."""

import logging
import random
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.engine.voice import Voice
from bot.store import Post, Store
from bot.talk import delivery
from persona.config import Tweets

log = logging.getLogger("alterego.timeline")

JOB = "tweets"
RETRY = 5.0  # seconds until a tweet that could not be made is tried again
PATIENCE = 300.0  # seconds after the start in which a tweet waits for all of its targets to be connected


def next_due(now: datetime, settings: Tweets, luck: float) -> datetime:
    """When the next tweet is due, UTC: `every` after `now`, up to `jitter` earlier or later as luck (in [0, 1)) has it,
    and inside the allowed hours of the time zone."""
    due = now + max(settings.every + settings.jitter * (2 * luck - 1), timedelta(seconds=1))
    return due if within_hours(due, settings) else _opening_after(due, settings) + settings.jitter * luck


def within_hours(moment: datetime, settings: Tweets) -> bool:
    """Whether tweets are allowed at `moment`. Hours may span midnight; equal ones mean always."""
    start, end = settings.hours
    local = moment.astimezone(ZoneInfo(settings.timezone)).time()
    if start == end:
        return True
    return start <= local < end if start < end else local >= start or local < end


def _opening_after(moment: datetime, settings: Tweets) -> datetime:
    """The next moment at which the allowed hours begin. A start that a clock change skips falls on the moment after."""
    zone = ZoneInfo(settings.timezone)
    local = moment.astimezone(zone)
    for days in range(3):
        opening = datetime.combine(local.date() + timedelta(days=days), settings.hours[0], zone).astimezone(UTC)
        if opening >= moment:
            return opening
    return moment


class Timeline:
    """Posts a random tweet now and then. The next due time is a row of the store, moved in the transaction that puts the
    tweet into the outbox: a restart neither loses nor doubles one. account_of: the open account of a platform, "" before
    it is open; hand_over: called with each post."""

    def __init__(
        self,
        store: Store,
        voice: Voice,
        settings: Tweets,
        account_of: Callable[[str], str],
        hand_over: Callable[[Post], object],
        units: Mapping[str, int],
    ) -> None:
        self._store = store
        self._voice = voice
        self._settings = settings
        self._account_of = account_of
        self._hand_over = hand_over
        self._units = units
        self._luck = random.Random()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._started = time.monotonic()

    async def start(self) -> None:
        """Arm the timer from the stored due time; set one where there is none."""
        due = await self._store.due_at(JOB)
        if due is None:
            due = next_due(datetime.now(UTC), self._settings, self._luck.random()).timestamp()
            await self._store.schedule_tweet(JOB, due, {}, "")
        self._scheduler.start()
        self._arm(due)

    def close(self) -> None:
        """Stop the timer; what is due stays due."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _arm(self, due: float) -> None:
        moment = datetime.fromtimestamp(max(due, time.time() + 0.05), UTC)
        # misfire_grace_time: the library's default of one second would drop what a busy loop or a sleep made late
        self._scheduler.add_job(
            self._tweet,
            "date",
            run_date=moment,
            id=JOB,
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    async def _tweet(self) -> None:
        try:
            due = await self._post()
        except Exception as error:  # the one broad catch of the timer: it must go on
            log.warning("tweet failed kind=%s", type(error).__name__, exc_info=log.isEnabledFor(logging.DEBUG))
            due = time.time() + RETRY
        self._arm(due)

    async def _post(self) -> float:
        """Make the tweet that is due, and set the next one. Returns when to look again. A tweet overdue outside the
        allowed hours waits for them; one whose targets aren't connected yet waits a little, and stays due."""
        now = datetime.now(UTC)
        if not within_hours(now, self._settings):
            due = _opening_after(now, self._settings).timestamp()
            await self._store.schedule_tweet(JOB, due, {}, "")
            return due
        targets = {target: account for target in self._settings.to if (account := self._account_of(_platform(target)))}
        patient = time.monotonic() - self._started < PATIENCE
        if not targets or (len(targets) < len(self._settings.to) and patient):
            return time.time() + RETRY
        was_due = await self._store.due_at(JOB)
        lines = await self._voice.tweet(secrets.randbits(31))
        texts = {
            (account, target): delivery.posts(lines, bursts=False, units=self._units[_platform(target)])
            for target, account in targets.items()
        }
        due = next_due(now, self._settings, self._luck.random()).timestamp()
        posts = await self._store.schedule_tweet(JOB, due, texts, f"tweet:{was_due}")
        log.info("tweet targets=%d next_in=%.0fs", len(targets), due - time.time())
        for post in posts:
            self._hand_over(post)
        return due


def _platform(target: str) -> str:
    return target.partition(":")[0]
