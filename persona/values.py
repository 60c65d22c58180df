"""Kinds of value in persona.toml: durations, hours of the day, time zones, addresses, ids."""

import re
from datetime import time, timedelta
from ipaddress import ip_address
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 1e9  # seconds, 31 years: no calendar ends within it


def duration(value: object) -> timedelta:
    """`"90s"`, `"6h"`, `"1h30m"` or a number of seconds. Raises ValueError for anything else, and for negative ones."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST:
        return timedelta(seconds=value)
    if isinstance(value, str) and re.fullmatch(r"(\d{1,7}(\.\d+)?[smhd]\s*)+", value.strip(), re.ASCII):
        parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", value)
        seconds = sum(float(amount) * _UNITS[unit] for amount, unit in parts)
        if seconds < _LONGEST:
            return timedelta(seconds=seconds)
    raise ValueError(f'{value!r} is no duration; write it like "6h", "90s" or "1h30m"')


def hours(value: object) -> tuple[time, time]:
    """`"09:00-23:00"` as two times of day; `24:00` is midnight. Raises ValueError for anything else."""
    if isinstance(value, tuple):
        return value
    match = re.fullmatch(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)", value, re.ASCII) if isinstance(value, str) else None
    try:
        if match:
            h1, m1, h2, m2 = map(int, match.groups())
            return time(h1, m1), time(0 if (h2, m2) == (24, 0) else h2, m2)
    except ValueError:
        match = None
    raise ValueError(f'{value!r} is no span of hours; write it like "09:00-23:00"')


def zone(value: str) -> str:
    """Return the name of a time zone that exists here. Raises ValueError otherwise."""
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:  # not found, a folder, a path outside the database
        raise ValueError(f'{value!r} is no time zone; write it like "Europe/Berlin"') from error
    return value


def address(value: str) -> str:
    """Return an https or wss address, or a plain one on loopback, without a slash at its end. Raises ValueError
    otherwise."""
    parts = urlsplit(value)
    plain = parts.scheme in ("http", "ws") and is_loopback(parts.hostname or "")
    if not (parts.hostname and (plain or parts.scheme in ("https", "wss"))):
        raise ValueError(f"{value!r} must begin with https:// (plain http only on loopback)")
    return value.rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether `host` names this machine: localhost or a loopback address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def language(value: str) -> str:
    """Return a language's code of two letters. Raises ValueError for anything else."""
    if not re.fullmatch("[a-z]{2}", value):
        raise ValueError(f'{value!r} is no language; write its two letters, such as "en" or "de"')
    return value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Duration = Annotated[timedelta, BeforeValidator(duration)]
Hours = Annotated[tuple[time, time], BeforeValidator(hours)]
Zone = Annotated[str, AfterValidator(zone)]
Address = Annotated[str, AfterValidator(address)]
Id = Annotated[str, BeforeValidator(_as_text)]  # ids are numbers to those who write them, text to us
Fraction = Annotated[float, Field(ge=0, le=1)]
Language = Annotated[str, AfterValidator(language)]
Auto = Literal["auto"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)  # as datetime.weekday() counts them
