"""The connection to Discord: its events as messages and changes, queued for the committer."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any

import discord

from bot.gateway import Expressions, IncomingMessage, Intake, Vote
from bot.gateways.discord.allowlist import fetch_roles, is_blocked, is_welcome, owners_of
from bot.gateways.discord.catch_up import CatchUp
from bot.gateways.discord.committer import Committer, commit
from bot.gateways.discord.dropped_edits import DroppedEdits
from bot.gateways.discord.event_queue import Change, EventQueue
from bot.gateways.discord.expressions import expressions_in
from bot.gateways.discord.messages import parse_message
from bot.gateways.discord.pages import pages_after
from bot.gateways.discord.parsers import guard_parsers
from bot.gateways.discord.reactions import ReactionEvent, parse_reaction
from bot.gateways.discord.sessions import Sessions
from bot.gateways.discord.slash_commands import offer_commands
from bot.gateways.discord.tweet_targets import warn_of_targets
from persona.events import Event
from persona.platforms import Discord

log = logging.getLogger("alterego.discord")

CONNECTED_EVERY = 30.0  # seconds between notes of having missed nothing
QUEUE = 10_000  # events that may wait to be committed; what comes on top is read from history afterwards
_SCORES = {"👍": 1, "👎": -1}


class Client(discord.Client):
    """Queues what is said; its parts commit that in each channel's order."""

    def __init__(
        self,
        settings: Discord,
        intake: Intake,
        *,
        feedback: bool,
        expires: float,
        targets: Sequence[str],
        edits: DroppedEdits,
        heartbeat_timeout: float,
        queue_size: int,
    ) -> None:
        intents = discord.Intents(
            guilds=True, messages=True, message_content=True, reactions=True, emojis_and_stickers=True
        )
        super().__init__(
            intents=intents,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            heartbeat_timeout=heartbeat_timeout,
            guild_ready_timeout=0.5,  # seconds without another server after which all are there; the default is 2
        )
        self._settings = settings
        self._intake = intake
        self._targets = targets
        self._edits = edits
        self._feedback = feedback
        self._application_emoji: list[discord.Emoji] | None = None
        self._events = EventQueue(queue_size, intake.dropped)
        self._catch_up = CatchUp(self._pages, partial(commit, intake), intake.catching_up)
        self._sessions = Sessions(self, settings, intake, self._catch_up, expires)
        self._committer = Committer(intake, self._events, self._catch_up, edits, self._sessions.is_known)
        self._tree = offer_commands(self, settings, intake)
        guard_parsers(self, self._events, intake)

    def parts(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Return what runs beside the connection."""
        edits = self._edits.read(self, self._intake, self.parse_all)
        return self._sessions.run(), self._committer.run(), self._catch_up.run(), edits, self.note_connected()

    async def on_message(self, message: discord.Message) -> None:
        """Something was said."""
        if said := self.parse(message):
            self._events.put(said)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Something reads otherwise now."""
        if said := self.parse(event.message):
            apply = partial(self._intake.edited, said)
            self._events.put(Change(said.channel, (said.message_id,), apply, rereadable=True))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Something is gone."""
        self._deleted(event.channel_id, [event.message_id])

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many are gone."""
        self._deleted(event.channel_id, event.message_ids)

    def _deleted(self, channel_id: int, message_ids: Iterable[int]) -> None:
        channel, ids = f"discord:{channel_id}", tuple(map(str, message_ids))
        self._events.put(Change(channel, ids, partial(self._intake.deleted, channel, ids)))

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Somebody reacted to something."""
        self._reacted(event, is_back=False)
        self._rated(event, _SCORES.get(str(event.emoji)))

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Somebody took it back."""
        self._reacted(event, is_back=True)
        self._rated(event, 0 if str(event.emoji) in _SCORES else None)

    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        """A moderator took all reactions from a message."""
        self._reacted(event, is_back=True)

    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        """A moderator took all reactions of one kind from a message."""
        self._reacted(event, is_back=True)

    def _reacted(self, event: ReactionEvent, *, is_back: bool) -> None:
        reaction = parse_reaction(event, is_back=is_back)
        if not reaction or not self.user or reaction.author_id == str(self.user.id):
            return
        member = getattr(event, "member", None)
        is_let_in = not self._settings.users or reaction.author_id in self._settings.users
        if is_back or (is_let_in and not (member and is_blocked(member, self._settings))):
            apply = partial(self._intake.reacted, reaction)
            self._events.put(Change(reaction.channel, (reaction.message_id,), apply))

    def _rated(self, event: discord.RawReactionActionEvent, score: int | None) -> None:
        if self._feedback and score is not None and self.user and event.user_id != self.user.id:
            vote = Vote(f"discord:{event.channel_id}", str(event.message_id), str(event.user_id), score)
            self._events.put(Change(vote.channel, (vote.message_id,), partial(self._intake.rated, vote)))

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        """An event that can't be understood; the library would log what is in it."""
        error_type = type(sys.exception()).__name__
        log.warning(
            Event("event failed", handler=event_method, kind=error_type), exc_info=log.isEnabledFor(logging.DEBUG)
        )

    async def on_disconnect(self) -> None:
        """The connection is lost."""
        self._sessions.lost()

    async def on_resumed(self) -> None:
        """The session goes on."""
        self._sessions.resumed()

    async def on_ready(self) -> None:
        """A new session."""
        self._sessions.renewed()
        warn_of_targets(self, self._targets)

    async def on_guild_available(self, _guild: discord.Guild) -> None:
        """A server is back after an outage, or came late."""
        if self.is_ready():
            self._sessions.renewed()

    async def _pages(self, number: int, after: int) -> AsyncIterator[Sequence[IncomingMessage]]:
        async for messages in pages_after(self, number, after, self._intake.quarantine):
            yield await self.parse_all(messages)

    async def note_connected(self) -> None:
        """Offer the commands once it has caught up; note now and then that nothing was missed."""
        while True:
            await self._sessions.is_known.wait()
            await self._catch_up.done.wait()
            if self._events.is_done:
                await self._intake.connected(time.time())
            await self._tree.sync_once()
            await asyncio.sleep(CONNECTED_EVERY)

    def parse(self, message: discord.Message, *, own: bool = False) -> IncomingMessage | None:
        """Return the message as ours; None if it is not for us. own: our own posts too."""
        if not self.user:
            return None
        is_own = own and message.author.id == self.user.id
        if not is_own and not is_welcome(message, self._settings, owners_of(self, self._settings)):
            return None
        return parse_message(message, self.user)

    async def parse_all(self, messages: Sequence[discord.Message], *, own: bool = False) -> list[IncomingMessage]:
        """Return those messages of a page of history that are for us, as ours."""
        await fetch_roles(messages, self._settings)
        return [parsed for message in messages if (parsed := self.parse(message, own=own))]

    async def expressions(self, number: int) -> Expressions:
        """Return what can be said in a channel without words."""
        if self._application_emoji is None:
            try:
                self._application_emoji = await self.fetch_application_emojis()
            except discord.HTTPException as refusal:
                log.warning(Event("application emoji can't be read", status=refusal.status))
                self._application_emoji = []
        guild = getattr(self.get_channel(number), "guild", None)
        return expressions_in(guild, self._application_emoji)
