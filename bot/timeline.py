"""Random tweets: when (the only home of APScheduler), and where to."""

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.backoff import Backoff
from bot.gateway import Limits
from bot.store import BotStore, OutgoingPart, Post
from bot.talk import delivery
from bot.talk.introduction import with_introduction
from bot.talk.policy import within
from bot.talk.proactive_posts import ProactivePosts
from persona.config import Tweets
from persona.events import Event
from persona.reply_timing import ReplyTiming
from persona.values import DAYS

log = logging.getLogger("alterego.timeline")

JOB = "tweets"
RETRY = 5.0  # seconds until a tweet that could not be made is tried again
LONGEST_RETRY = 600.0
HOUR, WEEK_HOURS = 3600.0, 7 * 24
PATIENCE = 300.0  # seconds after the start in which a tweet waits for all of its targets to be connected


def next_due(now: datetime, settings: Tweets, draw: float, timing: ReplyTiming | None = None) -> datetime:
    """When the next tweet is due, UTC: `every` after `now`, up to `jitter` earlier or later by `draw` (in [0, 1)),
    and on the allowed days and hours of the time zone. timing: the person's own times, at which it comes then."""
    wait = max(settings.every + settings.jitter * (2 * draw - 1), timedelta(seconds=1))
    if timing and timing.tweets and (own := _in_own_hours(now, wait, settings, timing)):
        return own
    due = now + wait
    if is_allowed(due, settings):
        return due
    opening = opening_after(due, settings)
    later = opening + settings.jitter * draw
    return later if is_allowed(later, settings) else opening


def _in_own_hours(now: datetime, wait: timedelta, settings: Tweets, timing: ReplyTiming) -> datetime | None:
    """Return when so much time has passed that runs as fast as the person tweets, in their mean hour as fast as any, and not
    at all when no tweets are allowed. None if that is never, or falls beside the allowed minutes of an hour."""
    start = now.replace(minute=0, second=0, microsecond=0)
    week = [start + timedelta(hours=count) for count in range(WEEK_HOURS)]
    rates = [_rate(hour, settings, timing) for hour in week]
    allowed = sum(is_allowed(hour, settings) for hour in week)
    if not (total := sum(rates)):
        return None
    weeks, left = divmod(wait.total_seconds() / HOUR, allowed)
    moment = start + timedelta(weeks=weeks)
    left = left * total / allowed + rates[0] * (now - start).total_seconds() / HOUR
    for rate in [*rates, *rates]:
        if rate and left < rate:
            due = moment + timedelta(hours=left / rate)
            return due if is_allowed(due, settings) else None
        moment, left = moment + timedelta(hours=1), left - rate
    return None


def _rate(hour: datetime, settings: Tweets, timing: ReplyTiming) -> float:
    """How much the person tweets in an hour, 0 if no tweets are allowed then."""
    return timing.tweets.rate(timing.local(hour)) if timing.tweets and is_allowed(hour, settings) else 0.0


def is_allowed(moment: datetime, settings: Tweets) -> bool:
    """Return whether tweets are allowed at `moment`. Hours may span midnight, and then belong to the day they begin
    on."""
    local = moment.astimezone(ZoneInfo(settings.timezone))
    if not within(settings.hours, local):
        return False
    start, end = settings.hours
    began_yesterday = start > end and local.time() < end
    day = local.date() - timedelta(days=1) if began_yesterday else local.date()
    return DAYS[day.weekday()] in settings.days


def opening_after(moment: datetime, settings: Tweets) -> datetime:
    """Return the next moment from which tweets are allowed, UTC. A start that a clock change skips falls on the moment
    after the change; of one that comes twice, the first counts."""
    zone = ZoneInfo(settings.timezone)
    first = moment.astimezone(zone).date() - timedelta(days=1)
    for days in range(10):
        date = first + timedelta(days=days)
        always = settings.hours[0] == settings.hours[1]
        start = datetime.min.time() if always else settings.hours[0]
        opening = datetime.combine(date, start, zone).astimezone(UTC)
        if opening >= moment and DAYS[date.weekday()] in settings.days:
            return opening
    return moment


def preview(
    now: datetime,
    settings: Tweets,
    draw: Callable[[], float],
    *,
    first: datetime | None = None,
    days: int = 7,
    most: int = 500,
    timing: ReplyTiming | None = None,
) -> list[datetime]:
    """When tweets would come in the next days, UTC, at most so many of them. draw: returns a number in [0, 1) for the
    jitter of each. first: the one that is due already. timing: see `next_due`."""
    moments: list[datetime] = []
    due = next_due(now, settings, draw(), timing) if first is None else max(first, now)
    due = due if is_allowed(due, settings) else opening_after(due, settings)
    while due < now + timedelta(days=days) and len(moments) < most:
        moments.append(due)
        due = next_due(due, settings, draw(), timing)
    return moments


class Timeline:
    """Posts a random tweet now and then. The next due time is a row of the store, moved in the transaction that puts the
    tweet into the outbox: a restart neither loses nor doubles one. account_of: the open account of a platform, "" before
    it is open; dispatch: called with each post; limits: of each platform; opening: what is said before a tweet; timing: the
    person's own times, if tweets come at them."""

    def __init__(
        self,
        store: BotStore,
        proactive: ProactivePosts,
        settings: Tweets,
        account_of: Callable[[str], str],
        dispatch: Callable[[Post], object],
        limits: Mapping[str, Limits],
        opening: Callable[[str, str], Awaitable[Sequence[OutgoingPart]]],
        timing: ReplyTiming | None = None,
    ) -> None:
        self._store = store
        self._proactive = proactive
        self._settings = settings
        self._account_of = account_of
        self._dispatch = dispatch
        self._limits = limits
        self._opening = opening
        self._timing = timing
        self._drawn_from = _timing(settings, timing)
        self._luck = random.Random()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._started = time.monotonic()
        self._backoff = Backoff(RETRY, LONGEST_RETRY)

    async def start(self) -> None:
        """Arm the timer from the stored due time. One is drawn if there is none, or if it lies ahead and was drawn from
        other settings."""
        due, now = await self._store.timetable.due_at(JOB), self._now()
        changed = await self._store.timetable.drawn_from(JOB) != self._drawn_from
        if due is None or (changed and due > now.timestamp()):
            due = await self._postponed(next_due(now, self._settings, self._luck.random(), self._timing))
        self._scheduler.start()
        self._arm(due)

    def close(self) -> None:
        """Stop the timer; what is due stays due."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._store.clock(), UTC)

    def _arm(self, due: float) -> None:
        moment = datetime.fromtimestamp(time.time() + max(due - self._store.clock(), 0.05), UTC)
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
            self._backoff.reset()
        except Exception as error:  # the one broad catch of the timer: it must go on
            log.warning(Event("tweet failed", kind=type(error).__name__), exc_info=log.isEnabledFor(logging.DEBUG))
            due = self._store.clock() + self._backoff.pause()
        self._arm(due)

    async def _post(self) -> float:
        """Make the tweet that is due, and set the next one. Returns when to look again. A tweet overdue outside the
        allowed hours waits for them; one whose targets aren't connected yet waits a little, and stays due."""
        now = self._now()
        if not is_allowed(now, self._settings):
            return await self._postponed(opening_after(now, self._settings))
        targets = await self._targets()
        patient = time.monotonic() - self._started < PATIENCE
        if not targets or (patient and not all(self._account_of(_platform(target)) for target in self._settings.to)):
            return self._store.clock() + RETRY
        was_due = await self._store.timetable.due_at(JOB)
        tweet = await self._proactive.tweet()
        due = next_due(now, self._settings, self._luck.random(), self._timing)
        if not tweet.lines:
            log.info("tweet skipped: nothing new came")
            return await self._postponed(due)
        parts: dict[tuple[str, str], Sequence[OutgoingPart]] = {
            (account, channel): with_introduction(
                delivery.posts(tweet.lines, self._limits[_platform(channel)], bursts=False),
                await self._opening(account, channel),
                self._limits[_platform(channel)],
            )
            for account, channel in targets
        }
        at = due.timestamp()
        kept = {place: answer for place in parts if (answer := self._proactive.kept_of(tweet, place[1]))}
        posts = await self._store.timetable.tweet(
            JOB, at, "\n".join(tweet.lines), parts, f"tweet:{was_due}", self._drawn_from, kept
        )
        log.info(Event("tweet", targets=len(targets), next_in_seconds=round(at - self._store.clock(), 1)))
        for post in posts:
            self._dispatch(post)
        return at

    async def _postponed(self, due: datetime) -> float:
        await self._store.timetable.postpone(JOB, due.timestamp(), self._drawn_from)
        return due.timestamp()

    async def _targets(self) -> list[tuple[str, str]]:
        """Account and channel of every target that is open, alive and not told to be quiet."""
        targets: list[tuple[str, str]] = []
        for target in self._settings.to:
            if not (account := self._account_of(_platform(target))):
                continue
            channel = (await self._store.channels.moves(account)).get(target, target)
            disabled = await self._store.channels.disabled_targets(account)
            if channel not in disabled and not await self._store.channels.is_silent(account, channel):
                targets.append((account, channel))
        return targets


def _timing(settings: Tweets, timing: ReplyTiming | None) -> str:
    """Return what the moment of a tweet depends on, in a line that differs where it does."""
    start, end = settings.hours
    own = " in the person's hours" if timing and timing.tweets else ""
    return f"{settings.every} {settings.jitter} {start}-{end} {','.join(settings.days)} {settings.timezone}{own}"


def _platform(target: str) -> str:
    return target.partition(":")[0]
