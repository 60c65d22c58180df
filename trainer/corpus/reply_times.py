"""The person's times from the timestamps of the corpus: delays of replies, typing, hours. Pure."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from persona.markers import is_reaction
from persona.reply_timing import HOT_SECONDS, Habit, ReplyTiming, quantiles_of, situations
from trainer.corpus.conversation_records import ConversationRecord

MIN_DELAYS = 30  # of a situation, else those of a wider one are taken
MIN_DATED = 200  # messages from which hours are learned
MIN_BURSTS = 20  # from which typing is learned
MIN_TO_TELL_CLOCK = 5  # times of a platform by which its clock is known
SAME_CLOCK = (
    0.95  # of a platform's times: where so many stand on the same second of a day, or of a minute, it knows no better
)
TYPING_BOUNDS = 2.0, 18.0  # characters a second
MAX_TYPING_PAUSE = 60.0  # seconds between two messages of a burst; whoever takes longer did something else
MINUTE, DAY = 60.0, 86400.0


class ReplyDelay(NamedTuple):
    """How long one reply took. seconds: from the message to the reply. is_hot, characters: of the message, see
    persona.reply_timing. typed: characters of the reply's first message."""

    seconds: float
    is_hot: bool
    characters: int
    typed: int


def reply_timing(records: Sequence[ConversationRecord], me: str, timezone: str = "UTC") -> ReplyTiming | None:
    """Return the person's times; None if the messages tell none: without times, by the day alone, or too few of them."""
    clocks = clocks_of(records, me)
    typing = _typing(records, me, clocks)
    delays: defaultdict[str, list[float]] = defaultdict(list)
    for reply in reply_delays(records, me, clocks):
        thinking = max(0.0, reply.seconds - (reply.typed / typing if typing else 0.0))
        for name in situations(reply.is_hot, reply.characters):
            delays[name].append(thinking)
    known = {name: quantiles_of(some) for name, some in sorted(delays.items()) if len(some) >= MIN_DELAYS}
    chats = _habit(records, me, clocks, timezone, ("group", "dm"))
    tweets = _habit(records, me, clocks, timezone, ("timeline", "reply")) or chats
    if not known and not chats and not tweets:
        return None
    return ReplyTiming(delays=known, typing=round(typing, 2), chats=chats, tweets=tweets, timezone=timezone)


def reply_delays(
    records: Iterable[ConversationRecord], me: str, clocks: Mapping[str, float] | None = None
) -> list[ReplyDelay]:
    """Return how long each reply of the person's in chats took. clocks: seconds between two times that a platform tells
    apart, by default as the records themselves show; times of whole minutes are spread over theirs."""
    records = list(records)
    clocks = clocks_of(records, me) if clocks is None else clocks
    rng = random.Random(0)
    return [
        reply._replace(seconds=reply.seconds + (rng.random() * MINUTE if clocks[record.platform] == MINUTE else 0.0))
        for record in records
        if record.conversation.scene in ("group", "dm") and clocks.get(record.platform, DAY) <= MINUTE
        for reply in _delays(record, me)
    ]


def _delays(record: ConversationRecord, me: str) -> Iterator[ReplyDelay]:
    """Yield the replies to the turn before them; one that quotes answers something else."""
    spoke_at = answered_at = float("-inf")  # when the person, and when somebody else, last said something
    characters = 0
    for turn, began, ended in zip(record.conversation.turns, record.timestamps, record.ends, strict=True):
        if is_reaction(turn.lines) or began is None or ended is None:
            continue
        if turn.speaker != me:
            answered_at, characters = ended, len(turn.lines[-1])
            continue
        seconds = began - answered_at
        if 0 <= seconds < DAY and turn.quote is None:
            yield ReplyDelay(seconds, 0 <= answered_at - spoke_at <= HOT_SECONDS, characters, len(turn.lines[0]))
        spoke_at, answered_at = ended, float("-inf")


def clocks_of(records: Iterable[ConversationRecord], me: str) -> dict[str, float]:
    """Return the seconds between two times that each platform tells apart: 1, a minute, or a day."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        turns = zip(record.conversation.turns, record.timestamps, strict=True)
        times[record.platform] += [at for turn, at in turns if turn.speaker == me and at is not None]
    return {platform: _clock(some) for platform, some in times.items()}


def _clock(times: Sequence[float]) -> float:
    if len({at // DAY for at in times}) < MIN_TO_TELL_CLOCK:
        return 1.0
    of_day = Counter(at % DAY for at in times)
    if sum(count for _, count in of_day.most_common(2)) >= SAME_CLOCK * len(times):  # two: in summer and in winter
        return DAY
    (_, count), *_ = Counter(at % MINUTE for at in times).most_common(1)
    return MINUTE if count >= SAME_CLOCK * len(times) else 1.0


def _typing(records: Iterable[ConversationRecord], me: str, clocks: Mapping[str, float]) -> float:
    """Return the characters a second of messages that follow each other in one turn; 0 if too few do."""
    speeds: list[float] = []
    for record in records:
        if clocks.get(record.platform, DAY) > 1.0:
            continue
        for turn, began, ended in zip(record.conversation.turns, record.timestamps, record.ends, strict=True):
            if turn.speaker != me or len(turn.lines) < 2 or began is None or ended is None:
                continue
            seconds, pauses = ended - began, len(turn.lines) - 1
            if 0 < seconds <= MAX_TYPING_PAUSE * pauses:
                speeds.append(sum(map(len, turn.lines[1:])) / seconds)
    slowest, fastest = TYPING_BOUNDS
    return min(max(median(speeds), slowest), fastest) if len(speeds) >= MIN_BURSTS else 0.0


def _habit(
    records: Iterable[ConversationRecord], me: str, clocks: Mapping[str, float], timezone: str, scenes: Sequence[str]
) -> Habit | None:
    """Return at which hours and days the person writes in some scenes; None if too few messages tell."""
    zone = ZoneInfo(timezone)
    local = [
        datetime.fromtimestamp(at, UTC).astimezone(zone)
        for record in records
        if record.conversation.scene in scenes and clocks.get(record.platform, DAY) < DAY
        for turn, at in zip(record.conversation.turns, record.timestamps, strict=True)
        if turn.speaker == me and at is not None
    ]
    if len(local) < MIN_DATED:
        return None
    hours, days = Counter(moment.hour for moment in local), Counter(moment.weekday() for moment in local)
    return Habit(
        hours=tuple(round(hours[hour] / len(local), 4) for hour in range(24)),
        days=tuple(round(days[day] / len(local), 4) for day in range(7)),
    )
