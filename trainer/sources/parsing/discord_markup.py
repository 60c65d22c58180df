"""Discord's markup as people see it: mentions, channels, roles, times, commands and emoji by their names. Not a source.

An export made with markdown switched off has it all by ids, as docs/reference.md of Discord's API lists them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_MARKUP = re.compile(
    r"<(?:@!?(?P<user>\d{1,21})|@&(?P<role>\d{1,21})|#(?P<channel>\d{1,21})|a?(?P<emoji>:\w{1,32}:)\d{1,21}"
    r"|t:(?P<time>-?\d{1,13})(?::[tTdDfFsSR])?|(?P<command>/[^<>:\n]{1,100}):\d{1,21}|id:(?P<page>\w{1,32})[^<>\n]{0,32})>"
)
MAX_NAMES = 100_000  # remembered of each kind


@dataclass(slots=True)
class DiscordNames:
    """What ids are called, as far as an export has said so yet."""

    people: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)

    def note_person(self, number: str, name: str) -> None:
        """Remember what somebody is called."""
        if number and name and len(self.people) < MAX_NAMES:
            self.people[number] = name


def without_markup(text: str, names: DiscordNames, here: Mapping[str, str] = {}) -> str:
    """`text` with names for ids. here: those mentioned in this very message."""
    if "<" not in text:
        return text

    def shown(match: "re.Match[str]") -> str:
        match match.lastgroup:
            case "user":
                return f"@{here.get(match['user']) or names.people.get(match['user']) or 'someone'}"
            case "role":
                return f"@{names.roles.get(match['role'], 'role')}"
            case "channel":
                return f"#{names.channels.get(match['channel'], 'channel')}"
            case "page":
                return f"#{match['page']}"
            case "time":
                return _moment(int(match["time"])) or match[0]
        return match["emoji"] or match["command"]

    return _MARKUP.sub(shown, text)


def mentioned_ids(text: str) -> list[str]:
    """Return the ids of people whom `text` mentions, each once."""
    match = (match["user"] for match in _MARKUP.finditer(text)) if "<@" in text else ()
    return list(dict.fromkeys(number for number in match if number))


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return ""
