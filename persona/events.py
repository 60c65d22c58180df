"""Log events: a name for people to read, and fields for machines."""

import json
import re

Field = str | int | float | bool | None
_BARE = re.compile(r'[^\s="\\;]+')  # a value that needs no quotes


class Event:
    """A log message with fields, as Python's Logging Cookbook has it ("Implementing structured logging").

    As text it reads `not sent channel=discord:1 reason="rate limited" again_in_seconds=5.0; hint`, whatever handler
    writes it; the JSON format takes `fields` as they are, numbers as numbers. Fields hold counts, durations, ids of
    channels and kinds of error: never a message's text, a name or a token.

    hint: what to do about it.
    """

    def __init__(self, event: str, /, *, hint: str = "", **fields: object) -> None:
        self.event = event
        self.hint = hint
        self.fields: dict[str, Field] = {name: _plain(value) for name, value in fields.items()}

    def __str__(self) -> str:
        """Return the event as one line of text."""
        words = " ".join([self.event, *(f"{name}={_quoted(value)}" for name, value in self.fields.items())])
        return f"{words}; {self.hint}" if self.hint else words


def _plain(value: object) -> Field:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _quoted(value: Field) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return value if _BARE.fullmatch(value) else json.dumps(value, ensure_ascii=False)
