"""When the persona speaks. Pure: time and random numbers are arguments."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.gateway import IncomingMessage, drafts_channel
from bot.store import HistoryMessage, Recent
from persona.markers import is_reaction
from persona.talk_settings import Talk

UNPROMPTED = "unprompted"  # the trigger of what it says though nobody asked
LATE = 600.0  # seconds after which a message is answered only if it is the last that waits
LATE_IN_RHYTHM = 60.0  # for whoever takes their time: what waited for one visit gets one answer, not twenty in a row
LOOP = 15  # answers to one author within a minute: no person talks like that
LONE_TURNS = (
    10  # of its own to one author who never calls it, with nobody else there: then it is two machines that talk
)


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


def calls(message: IncomingMessage, settings: Talk, *, names: Collection[str]) -> str:
    """Return the trigger in a message: dm, mention, reply or name; "" if there is none. A bot only ever mentions: two
    that answer each other's replies never stop. names: what the persona is called."""
    if message.is_bot:
        return "mention" if message.mention and "mention" in settings.reply_to else ""
    holds = {
        "dm": message.is_dm,
        "mention": message.mention,
        "reply": message.reply,
        "name": any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message.text, re.IGNORECASE) for name in names),
    }
    return next((name for name in settings.reply_to if holds[name]), "")


def may_speak_up(message: IncomingMessage, settings: Talk) -> bool:
    """Return whether the persona may say something after a message that asks it nothing: to people, where others hear it."""
    return settings.unprompted > 0 and not (message.is_bot or message.is_dm or drafts_channel(message.channel))


def goes_round(messages: Sequence[HistoryMessage]) -> bool:
    """Return whether the persona and one other have been talking for LONE_TURNS turns, alone and without being called.

    messages: of a thread, oldest first."""
    own = {message.message_id for message in messages if not message.author_id}
    turns, other, is_own = 0, "", False
    for message in reversed(messages):
        if is_reaction(message.lines):
            continue
        if not message.author_id:
            turns += not is_own
            is_own = True
            continue
        is_own = False
        other = other or message.author_id
        if message.author_id != other or message.to_persona or message.reply_to in own:
            break
    return turns >= LONE_TURNS


def judge(settings: Talk, trigger: str, moment: Moment, *, is_dm: bool, timezone: str = "UTC") -> Verdict:
    """Return whether to answer a message with a trigger. The first rule against it gives the reason."""
    if moment.age > settings.expires.total_seconds():
        return Verdict(False, "too old", "expired")
    late = LATE_IN_RHYTHM if settings.rhythm == "mine" else LATE
    against = {
        "quiet": moment.silent,
        "newer waits": moment.newer_waits and moment.age > late,
        "quiet hours": within(settings.quiet_hours, moment.now.astimezone(ZoneInfo(timezone))),
        "loop": moment.recent.author_minute >= LOOP,
        "cooldown": not is_dm and _lasts(settings.cooldown, moment.since_spoke),
        "unprompted cooldown": trigger == UNPROMPTED and _lasts(settings.unprompted_cooldown, moment.since_spoke),
        "unprompted hourly": trigger == UNPROMPTED and 0 < settings.unprompted_hourly <= moment.recent.unprompted_hour,
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
