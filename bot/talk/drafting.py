"""Drafts of an answer: the channel's last messages, a sample of the model, and the checks on it."""

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.gateway import Expressions, Gateway, NotSent, ResultUnknown, Undeliverable, drafts_channel, takes_one_post
from bot.metrics import BotMetrics
from bot.store import DAY, Answer, BotStore, ChannelView, HistoryMessage, OutgoingPart, PendingMessage
from bot.talk import delivery
from bot.talk.answer_record import answer_of
from bot.talk.channel_threads import ChannelThreads
from bot.talk.history import ThreadContext, in_one_go, own_quote, read_for, scene_of, turns_of
from bot.talk.listener import Listener
from bot.talk.places import Places
from bot.talk.recollection import Recollection
from bot.talk.rejections import REACTION_NOT_ALLOWED, REPEATS_OF, rejection_reason
from bot.talk.speakers import named_back, without_stand_ins
from engine.voice import Voice
from persona.config import Settings
from persona.events import Event
from persona.markers import is_reaction
from persona.names import normalise
from persona.transcript import Turn

log = logging.getLogger("alterego.drafting")

LINES_A_TURN = 4  # messages read from memory for each turn wanted: a turn is seldom more
TALKS_AT_ONCE = 4  # in a channel: so many times as much is read, and those of one thread are kept
SECONDS_TO_ANSWER = 120.0  # what an engine gets; what is there by then is sent
DRAFTS = 3  # tries before an objection is taken for silence
FRESH_DRAFTS = 5  # times an answer is made anew because its author went on, edited or deleted


@dataclass(frozen=True, slots=True)
class Draft:
    """A possible answer. merged: ids of other messages it answers too. rejection: why it must not be sent, "" if it may.
    answer: how it was made, if that is kept."""

    parts: Sequence[OutgoingPart]
    merged: tuple[str, ...]
    rejection: str
    answer: Answer | None = None


class Drafter:
    """Makes drafts for the account of one gateway."""

    def __init__(
        self,
        store: BotStore,
        gateway: Gateway,
        voice: Voice,
        listener: Listener,
        settings: Settings,
        places: Places,
        metrics: BotMetrics,
        recollection: Recollection,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._voice = voice
        self._listener = listener
        self._settings = settings
        self._places = places
        self._metrics = metrics
        self._threads = ChannelThreads(voice.seal.speaker, is_grown=voice.seal.base.from_scratch)
        self._recollection = recollection
        self._filled: set[str] = set()  # channels of which it is known without asking the store
        self.drafting = 0  # answers that are being made

    async def draft(self, pending: PendingMessage) -> Draft | None:
        """Return what to say to what was said in one go. Sampled at once, and looked at again when the author had time to
        go on: if they wrote more, edited or deleted meanwhile, it is sampled again. None if the message was deleted."""
        await self._fill(pending)
        view = await self._view(pending)
        if await self._look_up_quote(pending, view.messages):
            view = await self._view(pending)
        context, draft = self._context(pending, view), None
        for _ in range(FRESH_DRAFTS):
            if not context.messages:
                return None
            self.drafting += 1
            try:
                draft = await self._sampled(pending, context, view.own)
            finally:
                self.drafting -= 1
            await asyncio.sleep(self._patience(pending.channel, context.messages))
            if await self._is_unchanged(pending, view, context):
                break
            view = await self._view(pending)
            was, context = context, self._context(pending, view)
            if context == was:
                break
        return draft

    async def context(self, pending: PendingMessage) -> ThreadContext:
        """Return the message's thread up to its author's last message in a row; empty if the message was deleted."""
        return self._context(pending, await self._view(pending))

    async def _is_unchanged(self, pending: PendingMessage, view: ChannelView, context: ThreadContext) -> bool:
        """Return whether what an answer was made of reads as it did, and nothing was added. Far fewer messages are shown than
        were looked through for them."""
        read = read_for(context, self._places.talk(pending.channel).context_turns) | {pending.message_id}
        first = next((place for place, message in enumerate(view.messages) if message.message_id in read), 0)
        shown = view.messages[first:]
        return (await self._view(pending, len(shown))).messages == shown

    async def _view(self, pending: PendingMessage, most: int = 0) -> ChannelView:
        """Return what is remembered up to its author's last message in a row; nothing if the message was deleted. most: at
        most so many messages; 0 for all that its thread is looked for in."""
        place = (pending.account, pending.channel, pending.message_id)
        talk = self._places.talk(pending.channel)
        thread = talk.context_turns * LINES_A_TURN * TALKS_AT_ONCE
        most, merge = most or thread, talk.merge.total_seconds()
        view = await self._store.memory.view(*place, most, REPEATS_OF, thread if merge else 0)
        if not view.following:
            return view
        going_on = in_one_go(view.messages[-1], view.following, merge)
        return ChannelView((view.messages + going_on)[-most:], [], view.own)

    def _context(self, pending: PendingMessage, view: ChannelView) -> ThreadContext:
        """Return the message's thread."""
        names = {normalise(message.name): message.speaker for message in view.messages if message.name}
        channel = f"{pending.account} {pending.channel}"
        return self._threads.context(channel, view.messages, pending.message_id, names)

    async def _look_up_quote(self, pending: PendingMessage, messages: Sequence[HistoryMessage]) -> bool:
        """Ask the platform what the message answers, if that was neither told nor heard. Returns whether it is known now."""
        asked = next((message for message in messages if message.message_id == pending.message_id), None)
        if not asked or not asked.reply_to or asked.quoted:
            return False
        try:
            answered = await self._gateway.fetch(pending.channel, asked.reply_to)
        except (NotSent, Undeliverable, ResultUnknown):
            return False
        if not answered:
            return False
        found = await self._listener.parse_quote(pending.account, pending.channel, asked, answered)
        if found:
            await self._store.memory.keep_quote(found)
        return found is not None

    def _patience(self, channel: str, messages: Sequence[HistoryMessage]) -> float:
        """Return the seconds in which the author may still go on, whatever their clock and ours say."""
        merge = self._places.talk(channel).merge.total_seconds()
        return min(max(0.0, messages[-1].at + merge - self._store.clock()), merge)

    async def _sampled(self, pending: PendingMessage, context: ThreadContext, own: Sequence[HistoryMessage]) -> Draft:
        """Return a draft that may be said, or one with the reason why none may. own: what the persona said there last."""
        scene = scene_of(self._voice.seal, pending.is_dm)
        context_turns = self._places.talk(pending.channel).context_turns
        turns = turns_of(context, context_turns, self._voice.seal.max_length // 2)
        ids = [message.message_id for message in context.messages]
        merged = tuple(ids[ids.index(pending.message_id) + 1 :]) if pending.message_id in ids else ()
        quote = own_quote(context.messages, (pending.message_id, *merged))
        recalled = await self._recollection.before_reply(pending, context, turns, quote)
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        rejection = ""
        for _ in range(DRAFTS):
            held_back: list[str] = []
            with self._metrics.seconds.labels("engine").time():
                lines = await self._voice.reply(
                    scene,
                    turns,
                    secrets.randbits(31),
                    quote=quote,
                    memories=recalled.excerpts,
                    channel=f"{pending.account} {pending.channel}",
                    deadline=deadline,
                    rejections=held_back,
                )
            self._metrics.held_back(held_back)
            parts = await self._parts(pending, [*context.heard, *recalled.heard], lines)
            said = [line for part in parts for line in part.said]
            earlier = ["\n".join(message.lines) for message in own] + list(recalled.lines)
            rejection = "guard" if held_back and not lines else rejection_reason(said, earlier)
            if is_reaction(lines) and not parts:
                rejection = REACTION_NOT_ALLOWED
            if not rejection:
                self._metrics.tokens.inc(len(self._voice.encoding.encode("\n".join(lines))))
                return Draft(parts, merged, "", self._made(pending, scene, turns, context, lines))
            self._metrics.objections.labels(rejection).inc()
            if not lines:  # the voice has tried again by itself
                break
        return Draft([], merged, rejection, None)

    async def _parts(
        self,
        pending: PendingMessage,
        messages: Sequence[HistoryMessage],
        lines: Sequence[str],
    ) -> list[OutgoingPart]:
        """Return the posts, with names for the keys of people whom the prompt or the training shows."""
        platform = pending.account.partition(":")[0]
        trained = {number for person in self._settings.people.values() for number in person.ids(platform)}
        shown = {message.speaker: message.name for message in messages if message.name}
        if trained:
            people = await self._store.people.in_channel(pending.account, pending.channel, trained)
            shown |= {person.speaker: person.name for person in people.values() if person.name}
        names = {key: name for key, name in shown.items() if normalise(name) != key}
        named = [named_back(line, names) for line in without_stand_ins(lines, self._voice.seal)]
        expressions = await self._expressions(pending, named)
        bursts = self._places.talk(pending.channel).bursts
        return delivery.posts(named, self._gateway.limits, bursts=bursts, expressions=expressions)

    async def _expressions(self, pending: PendingMessage, lines: Sequence[str]) -> Expressions:
        """Return what can be said there without words, if that is wanted: the platform's, and stickers that were seen."""
        if takes_one_post(pending.channel) or not any(":" in line or "[" in line for line in lines):
            return Expressions()
        try:
            known = await self._gateway.expressions(pending.channel)
        except (NotSent, Undeliverable, ResultUnknown):
            known = Expressions()
        seen = await self._store.memory.stickers(pending.account, pending.channel)
        return replace(known, stickers={**seen, **known.stickers})

    def _made(
        self,
        pending: PendingMessage,
        scene: str,
        turns: Sequence[Turn],
        context: ThreadContext,
        lines: Sequence[str],
    ) -> Answer | None:
        """Return what the answer was made of, if people may rate it; where its owner is alone they always may."""
        rated = self._places.talk(pending.channel).feedback or self._gateway.limits.owner_alone
        if not (rated or drafts_channel(pending.channel)):
            return None
        return answer_of(self._voice.seal, scene, turns, context.heard, lines)

    async def _fill(self, pending: PendingMessage) -> None:
        """Read a channel's history at the first contact with it. A failure is no loss."""
        account, channel = pending.account, pending.channel
        if channel in self._filled or await self._store.memory.is_filled(account, channel):
            self._filled.add(channel)
            return
        before = await self._store.memory.oldest_id(account, channel) or pending.message_id
        try:
            most = self._places.talk(channel).context_turns * LINES_A_TURN
            said = await self._gateway.history(channel, before, most)
        except NotSent:
            return  # not connected: asked again with the next message
        except (Undeliverable, ResultUnknown) as failure:
            log.info(Event("history can't be read", channel=channel, reason=failure))
            said = []
        oldest = self._store.clock() - self._settings.store.keep_days * DAY
        messages = await self._listener.parse(account, [message for message in said if message.at >= oldest])
        await self._store.memory.fill(account, channel, messages)
