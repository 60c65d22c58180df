"""Whether the persona speaks up after a message that asks it nothing. The engine is asked, if it has time."""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.gateway import IncomingMessage
from bot.metrics import BotMetrics
from bot.store import BotStore, InboundMessage, PendingMessage
from bot.talk import policy
from bot.talk.drafting import Drafter
from bot.talk.history import ThreadContext, scene_of, turns_of
from bot.talk.pace import DueTimers, Pace
from bot.talk.places import Places
from bot.talk.reply import Replier
from engine.base import EngineError
from engine.voice import Voice
from persona.events import Event

log = logging.getLogger("alterego.turn_taking")

FRESH = 120.0  # seconds; nobody speaks up hours later, when what was missed is read
BUSY_DRAFTS = 4  # answers in the making at which nothing else is asked of the engine
SECONDS_TO_ASK = 2.0
REST = 600.0  # seconds for which an engine that can't tell is not asked again
NO_THRESHOLD = (
    "[talk] unprompted does nothing: this bundle doesn't know when the persona speaks up; train again, for longer or with "
    "more talk of groups in the exports"
)

Put = Callable[[str, Callable[[], Awaitable[object]]], object]  # work into the queue of a channel
Answer = Callable[[PendingMessage], object]


class TurnTaking:
    """Decides for the account of one gateway. Of a channel only the newest message is looked at: what others went on to say
    while it waited makes earlier ones stale. What is undecided when the process ends stays so: nobody was waiting."""

    def __init__(
        self,
        store: BotStore,
        voice: Voice,
        drafter: Drafter,
        replier: Replier,
        places: Places,
        pace: Pace,
        metrics: BotMetrics,
    ) -> None:
        self._store = store
        self._voice = voice
        self._drafter = drafter
        self._replier = replier
        self._places = places
        self._pace = pace
        self._metrics = metrics
        self._newest: dict[str, InboundMessage] = {}  # to be decided on, by channel
        self._timers = DueTimers()
        self._rests_until = -math.inf

    def stop(self) -> None:
        """Decide nothing any more."""
        self._timers.stop()

    def heard(self, message: IncomingMessage, inbound: InboundMessage, put: Put, answer: Answer) -> None:
        """Decide soon on a message that was committed, unless it asks for an answer anyway, or a later one of its channel
        comes first. answer: called with it if the persona speaks."""
        talk = self._places.talk(inbound.channel)
        if inbound.trigger or not inbound.lines or not policy.may_speak_up(message, talk):
            return
        if self._voice.seal.speaking_up is None:
            return
        is_due = inbound.channel in self._newest
        self._newest[inbound.channel] = inbound
        if is_due:
            return

        async def decide() -> None:
            await self._decide(inbound.channel, answer)

        self._timers.after(talk.merge.total_seconds(), lambda: put(inbound.channel, decide))

    async def _decide(self, channel: str, answer: Answer) -> None:
        message = self._newest.pop(channel, None)
        if message is None:  # an earlier try failed in the store
            return
        reason = await self._objection(message)
        self._metrics.turns.labels(reason or "speaks").inc()
        if reason:
            return
        called = replace(message, trigger=policy.UNPROMPTED, due_at=await self._pace.due_at(message))
        if pending := await self._store.inbox.call(called):
            answer(pending)

    async def _objection(self, message: InboundMessage) -> str:
        """Return why the persona doesn't speak up, what is cheapest to know first; "" if it does."""
        if self._store.clock() - message.at > FRESH:
            return "too old"
        if self._pace.is_asleep(message.channel):
            return "asleep"
        if time.monotonic() < self._rests_until:
            return "engine can't"
        if self._drafter.drafting >= BUSY_DRAFTS:
            return "busy"
        pending = _as_pending(message)
        policy_context = await self._store.inbox.policy_context(pending)
        if policy_context.newer_waits:
            return "answers already"
        verdict = self._replier.judged(pending, policy_context)
        if not verdict.answer:
            return verdict.reason
        if await self._store.memory.following(message.account, message.channel, message.message_id, 1):
            return "talk went on"
        context = await self._drafter.context(pending)
        if not context.messages:
            return "deleted"
        if policy.goes_round(context.messages):
            return "loop"
        return await self._asked(message, context)

    async def _asked(self, message: InboundMessage, context: ThreadContext) -> str:
        talk = self._places.talk(message.channel)
        turns = turns_of(context, talk.context_turns, self._voice.seal.max_length // 2)
        speaking_up = self._voice.seal.speaking_up
        threshold = speaking_up.threshold(talk.unprompted) if speaking_up else math.inf
        deadline = time.monotonic() + SECONDS_TO_ASK
        try:
            with self._metrics.seconds.labels("turn").time():
                log_prob = await self._voice.next_speaker(
                    scene_of(self._voice.seal, is_dm=False),
                    turns,
                    channel=f"{message.account} {message.channel}",
                    deadline=deadline,
                    least=threshold - 1e-6,  # whatever is less likely need not be known
                )
        except EngineError as error:
            if time.monotonic() >= deadline:
                return "busy"
            self._rests_until = time.monotonic() + REST
            log.warning(Event("who speaks next is not known", reason=error, again_in_seconds=REST))
            return "engine can't"
        return "" if log_prob >= threshold else "not its turn"


def _as_pending(message: InboundMessage) -> PendingMessage:
    """Return the row that would answer a message, as far as there is one."""
    place = (message.account, message.channel, message.message_id, message.author_id)
    return PendingMessage(0, *place, is_dm=False, trigger=policy.UNPROMPTED, at=message.at)
