"""How long the person takes to answer, how fast they type, and when they write. Pure: moments and draws are arguments."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, ValidationError

FILE = "timing.json"  # in a bundle's private folder: it tells when somebody sleeps
HOT_SECONDS = 600.0  # after its last words there the persona is still in the talk
LENGTHS = (40, 160)  # characters up to which a message is short, or of middling length
SHARES = tuple(step / 20 for step in range(21))  # of which delays are sealed
MAX_TYPING_SECONDS = 20.0  # of one message: nobody watches longer
NEVER = 0.004  # share of messages in an hour of the day below which the person does not write then
HOUR = 3600.0


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Habit(_Part):
    """When the person writes, as shares of their messages. hours: of the day, from 0. days: of the week, from Monday."""

    hours: tuple[float, ...]
    days: tuple[float, ...]

    def rate(self, local: datetime) -> float:
        """Return how much they write in that hour of the week, over their mean."""
        return self.hours[local.hour] * len(self.hours) * self.days[local.weekday()] * len(self.days)

    def writes(self, local: datetime) -> bool:
        """Return whether they ever write in that hour of the day."""
        return self.hours[local.hour] >= NEVER


class ReplyTiming(_Part):
    """The person's own times. delays: seconds until they begin to type, quantiles at SHARES, by situation (see `situations`).
    typing: characters a second, 0 if unknown. chats, tweets: when they write either, in the time of `timezone`."""

    delays: Mapping[str, tuple[float, ...]] = {}
    typing: float = 0.0
    chats: Habit | None = None
    tweets: Habit | None = None
    timezone: str = "UTC"

    def local(self, moment: datetime) -> datetime:
        """Return an aware moment in the person's time."""
        try:
            return moment.astimezone(ZoneInfo(self.timezone))
        except (ZoneInfoNotFoundError, ValueError):  # of a machine that knows other zones
            return moment

    def is_asleep(self, moment: datetime) -> bool:
        """Return whether the person never writes at that hour."""
        return self.chats is not None and not self.chats.writes(self.local(moment))

    def delay(self, *, is_hot: bool, characters: int, draw: float) -> float:
        """Return the seconds until they begin to type. characters: of what is answered. draw: in [0, 1)."""
        quantiles = next((self.delays[name] for name in situations(is_hot, characters) if name in self.delays), ())
        return _at(quantiles, draw)

    def wait(self, moment: datetime, *, is_hot: bool, characters: int, draw: float, most: float) -> float:
        """Return the seconds from `moment`, when somebody wrote, until the persona turns to it, at most so many: at an hour
        at which the person never writes it waits for the next at which they do."""
        return min(most, self._until_awake(moment) + self.delay(is_hot=is_hot, characters=characters, draw=draw))

    def typing_seconds(self, text: str) -> float | None:
        """Return the seconds they take to type a text; None if that is unknown."""
        return min(len(text) / self.typing, MAX_TYPING_SECONDS) if self.typing > 0 else None

    def _until_awake(self, moment: datetime) -> float:
        if not self.is_asleep(moment):
            return 0.0
        hour = self.local(moment).replace(minute=0, second=0, microsecond=0)  # half past it in UTC, in some zones
        start = hour.astimezone(UTC)
        hours = (start + timedelta(hours=count) for count in range(1, 25))
        awake = next((hour for hour in hours if not self.is_asleep(hour)), moment)
        return (awake - moment).total_seconds()


def situations(is_hot: bool, characters: int) -> tuple[str, ...]:
    """Return the names of the delays that hold for a message, the one that says most first. is_hot: the person spoke there in
    the last HOT_SECONDS."""
    heat = "hot" if is_hot else "cold"
    length = next(
        (name for name, most in zip(("short", "middling"), LENGTHS, strict=True) if characters <= most), "long"
    )
    return f"{heat} {length}", heat, "all"


def quantiles_of(seconds: Sequence[float]) -> tuple[float, ...]:
    """Return the quantiles that are sealed of some delays."""
    ranked = sorted(seconds)
    return tuple(round(_at(ranked, share), 1) for share in SHARES)


def draw_of(*names: str) -> float:
    """Return a number in [0, 1) that is always the same for the same names."""
    return int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest()[:6]) / 2**48


def load(path: Path) -> ReplyTiming | None:
    """Return the times in a bundle's file; None if it has none, or none that can be read."""
    try:
        return ReplyTiming.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _at(ranked: Sequence[float], share: float) -> float:
    """Return the value at a share of ranked values, interpolated; 0 if there are none."""
    if not ranked:
        return 0.0
    place = share * (len(ranked) - 1)
    below = min(math.floor(place), len(ranked) - 1)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (place - below) * (ranked[above] - ranked[below])
