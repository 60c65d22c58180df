"""Discord's history, page by page and message by message.

The library's own iterator is all or nothing: one message that it can't parse ends the reading, today and at every
next try. So pages are fetched raw, and what can't be parsed is reported and left out.
"""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import discord

from persona.events import Event

log = logging.getLogger("alterego.discord")

PAGE = 100  # messages that Discord gives in one answer

OnUnreadable = Callable[[str, str], Awaitable[None]]


async def no_matter(_content: str, _reason: str) -> None:
    """Ignore a message that can't be parsed."""


async def pages_after(
    client: discord.Client, number: int, after: int, on_unreadable: OnUnreadable = no_matter
) -> AsyncIterator[list[discord.Message]]:
    """Yield what was said in a channel after that id, a page at a time, oldest first.

    on_unreadable: called with a message that can't be parsed, and the type of the error. Raises as discord.py's requests do,
    and ValueError if the answer is no page.
    """
    while raw := await _raw_page(client, number, PAGE, after=after):
        yield await _parsed(client, number, raw, on_unreadable)
        if len(raw) < PAGE:
            return
        after = max([after + 1, *(int(data["id"]) for data in raw if _has_id(data))])


async def page_before(client: discord.Client, number: int, before: int | None, most: int) -> list[discord.Message]:
    """Return the last messages of a channel (before that id), oldest first, without those that can't be parsed."""
    raw = await _raw_page(client, number, min(most, PAGE), before=before)
    return await _parsed(client, number, raw, no_matter) if raw else []


async def _raw_page(client: discord.Client, number: int, limit: int, **where: int | None) -> list[dict[str, Any]]:
    raw: Any = await client.http.logs_from(number, limit, **where)
    if not isinstance(raw, list):
        raise ValueError("a page of history is no list")
    return raw


async def _parsed(
    client: discord.Client, number: int, raw: list[dict[str, Any]], on_unreadable: OnUnreadable
) -> list[discord.Message]:
    channel: Any = client.get_channel(number) or await client.fetch_channel(number)
    messages: list[discord.Message] = []
    for data in reversed(raw):  # Discord gives the newest first
        try:
            messages.append(client._connection.create_message(channel=channel, data=data))
        except Exception as error:  # whatever the library makes of a message it doesn't know: it must not be met again
            error_type = type(error).__name__
            log.warning(Event("message put away", channel=f"discord:{number}", kind=error_type))
            await on_unreadable(json.dumps(data), error_type)
    return sorted(messages, key=lambda message: message.id)


def _has_id(data: Any) -> bool:
    return isinstance(data, dict) and str(data.get("id", "")).isdecimal()
