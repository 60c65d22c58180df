"""The library's parsers of events, each by itself: an event that one can't parse costs that event, not the connection."""

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import discord

from bot.gateway import Intake
from bot.gateways.discord.event_queue import Change, EventQueue
from persona.events import Event

log = logging.getLogger("alterego.discord")

Parser = Callable[[Any], None]


def guard_parsers(client: discord.Client, events: EventQueue, intake: Intake) -> None:
    """Put what a client can't parse into quarantine from now on. READY is left alone: without it there is no session."""
    parsers = client._connection.parsers
    client._connection.parsers = {
        name: parse if name == "READY" else _guarded(name, parse, events, intake) for name, parse in parsers.items()
    }


def _guarded(name: str, parse: Parser, events: EventQueue, intake: Intake) -> Parser:
    def guarded(data: Any) -> None:
        intake.heard()
        try:
            parse(data)
        except Exception as error:  # whatever the library makes of an event it doesn't know
            error_type = type(error).__name__
            channel = f"discord:{data.get('channel_id', 0)}" if isinstance(data, dict) else "discord:0"
            log.warning(Event("event put away", name=name, channel=channel, kind=error_type))
            events.put(Change(channel, (), partial(intake.quarantine, json.dumps(data), error_type)))

    return guarded
