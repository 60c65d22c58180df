"""The daemon's log: events with fields, on stderr. Never a message's text, a name or a token."""

import logging
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from persona.events import Event

# Libraries that log URLs with tokens in them below WARNING: never let them, at --debug neither. What a platform's own
# library must not log, its gateway says.
_LIBRARIES = ("httpx", "httpcore", "sqlalchemy", "alembic", "apscheduler")
_QUIET = (*_LIBRARIES, "asyncio", "aiohttp", "psycopg")
HIDDEN = "[hidden]"


def set_up_logging(level: int, log_format: Literal["text", "json"] = "text") -> None:
    """Write our events to stderr, one a line. If they can't be written, because the disk is full say, the bot goes on."""
    logging.raiseExceptions = False
    out = logging.StreamHandler()
    out.setFormatter(JsonLines() if log_format == "json" else logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[out], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def hide(secrets: Collection[str]) -> None:
    """Replace these secrets in every log line, including a library's errors."""
    known = [secret for secret in secrets if secret]
    if known:
        pattern = re.compile("|".join(map(re.escape, known)))
        for handler in logging.getLogger().handlers:
            handler.setFormatter(_Hiding(handler.formatter or logging.Formatter(), pattern))


class JsonLines(JsonFormatter):
    """One JSON object a line: `at`, `level`, `logger`, `event`, the event's fields, `hint` and `traceback`."""

    def __init__(self) -> None:
        super().__init__(json_ensure_ascii=False)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill in what is written of a record. A message that is no Event, such as a library's, has no fields."""
        event = record.msg if isinstance(record.msg, Event) else Event(record.getMessage())
        log_data["at"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data |= {"level": record.levelname, "logger": record.name, "event": event.event, **event.fields}
        if event.hint:
            log_data["hint"] = event.hint
        if traceback := message_dict.get("exc_info"):
            log_data["traceback"] = traceback


class _Hiding(logging.Formatter):
    def __init__(self, inner: logging.Formatter, pattern: "re.Pattern[str]") -> None:
        super().__init__()
        self._inner = inner
        self._pattern = pattern

    def format(self, record: logging.LogRecord) -> str:
        return self._pattern.sub(HIDDEN, self._inner.format(record))
