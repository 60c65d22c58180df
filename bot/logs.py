"""The daemon's log: events with fields, on stderr. Never a message's text, a name or a token."""

import json
import logging
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal

# Libraries that log message texts, or URLs with tokens in them, below WARNING: never let them, at --debug neither.
_LIBRARIES = ("discord", "telegram", "httpx", "httpcore", "sqlalchemy", "alembic", "apscheduler")
_QUIET = (*_LIBRARIES, "asyncio", "aiohttp", "psycopg")
_FIELD = re.compile(r"(?:^|\s)(\w+)=(\S+)")
HIDDEN = "[hidden]"


def set_up_logging(level: int, log_format: Literal["text", "json"] = "text") -> None:
    """Our events on stderr, a line each. Where they can't be written, on a full disk say, the bot goes on."""
    logging.raiseExceptions = False
    out = logging.StreamHandler()
    out.setFormatter(JsonLines() if log_format == "json" else logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[out], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns of the voice libraries that we don't want
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)  # its errors quote what it could not read


def hide(secrets: Collection[str]) -> None:
    """Never write these, whoever logs them: what a library puts into an error is not ours to choose."""
    found = [secret for secret in secrets if secret]
    if found:
        pattern = re.compile("|".join(map(re.escape, found)))
        for one in logging.getLogger().handlers:
            one.setFormatter(_Hiding(one.formatter or logging.Formatter(), pattern))


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, the event, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        message = record.getMessage()
        fields = dict(_FIELD.findall(message))
        found: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": _FIELD.sub("", message).strip(),
            **fields,
        }
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False)


class _Hiding(logging.Formatter):
    def __init__(self, inner: logging.Formatter, pattern: "re.Pattern[str]") -> None:
        super().__init__()
        self._inner = inner
        self._pattern = pattern

    def format(self, record: logging.LogRecord) -> str:
        return self._pattern.sub(HIDDEN, self._inner.format(record))
