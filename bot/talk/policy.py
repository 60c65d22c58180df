"""When the persona speaks. Pure: time and random numbers are arguments."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.gateway import IncomingMessage
from bot.store import Recent
from persona.talk_settings import Talk

LIVELY = 600.0  # seconds that count as one talk
HALVES_WITH = 5  # messages of others in it that halve the chance to barge in
LATE = 600.0  # seconds after which a message is answered only if it is the last that waits
LOOP = 15  # answers to one author within a minute: no person talks like that


@dataclass(frozen=True, slots=True)
class Verdict:
    """answer: whether to speak. verdict: what the inbox gets if not. reason: why, in words that are counted."""

    answer: bool
    reason: str
    verdict: str = "declined"


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known when a message comes up. now: aware. age: seconds since it was written. since_spoke: seconds since
    the persona last spoke in that channel. silent: whether it was told to be quiet there. newer_waits: whether a later
    message of the channel waits too."""

    now: datetime
    age: float = 0.0
    since_spoke: float = float("inf")
    silent: bool = False
    newer_waits: bool = False
    recent: Recent = field(default_factory=Recent)


def calls(
    message: IncomingMessage, settings: Talk, *, names: Collection[str], draw: float, others_lately: int = 0
) -> str:
    """Return the trigger in a message: dm, mention, reply, name, or unprompted if `draw` (in [0, 1)) is low enough; ""
    if there is none. A bot only ever mentions: two that answer each other's replies never stop. names: what the persona
    is called. others_lately: messages of others in the last LIVELY seconds: the livelier a talk, the less it needs
    another voice."""
    if message.is_bot:
        return "mention" if message.mention and "mention" in settings.reply_to else ""
    holds = {
        "dm": message.is_dm,
        "mention": message.mention,
        "reply": message.reply,
        "name": any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message.text, re.IGNORECASE) for name in names),
    }
    trigger = next((name for name in settings.reply_to if holds[name]), "")
    chance = settings.unprompted * 0.5 ** (others_lately / HALVES_WITH)
    return trigger or ("unprompted" if draw < chance and not message.is_dm else "")


def judge(settings: Talk, trigger: str, moment: Moment, *, is_dm: bool, timezone: str = "UTC") -> Verdict:
    """Return whether to answer a message with a trigger. The first rule against it gives the reason."""
    if moment.age > settings.expires.total_seconds():
        return Verdict(False, "too old", "expired")
    against = {
        "quiet": moment.silent,
        "newer waits": moment.newer_waits and moment.age > LATE,
        "quiet hours": within(settings.quiet_hours, moment.now.astimezone(ZoneInfo(timezone))),
        "loop": moment.recent.author_minute >= LOOP,
        "cooldown": not is_dm and _lasts(settings.cooldown, moment.since_spoke),
        "unprompted cooldown": trigger == "unprompted" and _lasts(settings.unprompted_cooldown, moment.since_spoke),
        "user cooldown": _lasts(settings.user_cooldown, moment.now.timestamp() - moment.recent.author_at),
        "hourly": not is_dm and 0 < settings.hourly <= moment.recent.channel_hour,
        "user hourly": 0 < settings.user_hourly <= moment.recent.author_hour,
    }
    reason = next((reason for reason, holds in against.items() if holds), "")
    return Verdict(not reason, reason or trigger)


def _lasts(cooldown: timedelta, since: float) -> bool:
    """Return whether a cooldown still lasts; it doesn't if the clock was set back to before its beginning."""
    return 0 <= since < cooldown.total_seconds()


def within(hours: tuple[time, time] | str, local: datetime) -> bool:
    """Return whether a local moment lies in these hours, which may span midnight; "" holds none, equal ends hold all."""
    if isinstance(hours, str):
        return False
    (start, end), at = hours, local.time()
    if start == end:
        return True
    return start <= at < end if start < end else at >= start or at < end
