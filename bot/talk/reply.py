"""One message in, one verdict out: policy, a draft, and the store's word on it."""

import logging
from collections import Counter
from datetime import UTC, datetime

from bot.gateway import Gateway
from bot.metrics import BotMetrics
from bot.store import BotStore, Post, Situation, Waiting
from bot.talk import policy
from bot.talk.drafting import Draft, Drafter
from bot.talk.sender import Sender
from engine.base import EngineError, Request, complete
from engine.voice import Voice
from persona.config import Settings
from persona.prompt import tweet_prompt
from persona.sampling import SamplingParams

log = logging.getLogger("alterego.reply")

GIVE_UP = 5  # failures of one request after which, if the engine answers others, it is the request's fault


class Replier:
    """Answers what waits in the inbox of one gateway's account."""

    def __init__(
        self,
        store: BotStore,
        gateway: Gateway,
        voice: Voice,
        sender: Sender,
        drafter: Drafter,
        settings: Settings,
        metrics: BotMetrics,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._voice = voice
        self._sender = sender
        self._drafter = drafter
        self._settings = settings
        self._metrics = metrics
        self._failures: Counter[int] = Counter()
        self._suspects: set[int] = set()

    async def answer(self, waiting: Waiting) -> None:
        """Reach the verdict on one message. Raises EngineError where the engine failed: the message goes on waiting,
        unless the engine lives and only this one fails again and again."""
        situation = await self._store.inbox.situation(waiting)
        if not situation.open:
            return
        verdict = self._judged(waiting, situation)
        if not verdict.answer:
            await self._settled(waiting, verdict.verdict, verdict.reason)
            return
        try:
            async with self._gateway.typing(waiting.channel):
                draft = await self._drafter.draft(waiting)
        except EngineError:
            if not await self._at_fault(waiting):
                raise
            self._done_with(waiting)
            await self._settled(waiting, "silenced", "engine failed")
            return
        self._done_with(waiting)
        if draft is None:
            await self._settled(waiting, "declined", "deleted")
        elif draft.why:
            await self._settled(waiting, "silenced", draft.why, draft)
        else:
            for post in await self._settled(waiting, "answered", verdict.reason, draft):
                if not await self._sender.deliver(post):
                    return

    def _judged(self, waiting: Waiting, situation: Situation) -> policy.Verdict:
        now = self._store.clock()
        moment = policy.Moment(
            datetime.fromtimestamp(now, UTC),
            age=now - waiting.at,
            since_spoke=now - situation.last_spoke,
            silent=situation.silent,
            recent=situation.recent,
        )
        zone = self._settings.tweets.timezone
        return policy.judge(self._settings.talk, waiting.called, moment, is_dm=waiting.is_dm, timezone=zone)

    async def _settled(self, waiting: Waiting, verdict: str, reason: str, draft: Draft | None = None) -> list[Post]:
        parts = draft.parts if draft and not draft.why else ()
        merged = draft.merged if draft else ()
        answer = draft.answer if draft and self._settings.talk.feedback else None
        posts = await self._store.inbox.settle(waiting, verdict, reason, parts, merged=merged, answer=answer)
        self._metrics.verdicts.labels(verdict, reason).inc()
        log.info("verdict channel=%s verdict=%s reason=%s posts=%d", waiting.channel, verdict, reason, len(posts))
        return posts

    async def _at_fault(self, waiting: Waiting) -> bool:
        """Whether a request that failed is itself the reason: it failed often, and twice while another one didn't."""
        self._metrics.faults.labels("engine").inc()
        await self._voice.engine.start()
        self._failures[waiting.id] += 1
        if self._failures[waiting.id] < GIVE_UP or not await self._engine_lives():
            self._suspects.discard(waiting.id)
            return False
        suspected = waiting.id in self._suspects
        self._suspects.add(waiting.id)
        return suspected

    async def _engine_lives(self) -> bool:
        ids = tweet_prompt(self._voice.encoding, self._voice.seal)
        try:
            await complete(self._voice.engine, Request(ids, SamplingParams(max_new_tokens=1), seed=0))
        except EngineError:
            return False
        return True

    def _done_with(self, waiting: Waiting) -> None:
        self._failures.pop(waiting.id, None)
        self._suspects.discard(waiting.id)
