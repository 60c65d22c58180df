"""One message in, one verdict out: policy, a draft, and the store's word on it."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from bot.gateway import Gateway, Limits, drafts_channel, takes_one_post
from bot.metrics import BotMetrics
from bot.store import BotStore, OutgoingPart, PendingMessage, PolicyContext, Post
from bot.talk import policy
from bot.talk.delivery import escaped, length, split
from bot.talk.drafting import Draft, Drafter
from bot.talk.introduction import in_one_post, introduction
from bot.talk.pace import Pace
from bot.talk.places import Places
from bot.talk.rejections import REACTION_NOT_ALLOWED
from bot.talk.sender import Sender
from engine.base import EngineError, Request, complete
from engine.voice import Voice
from persona.config import Settings
from persona.events import Event
from persona.prompt import tweet_prompt
from persona.sampling import SamplingParams

log = logging.getLogger("alterego.reply")

SAID_UNITS = 1024  # UTF-16 code units of what a draft answers that are shown above it
_GOES_ON = "\n[… it goes on]"
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
        places: Places,
        pace: Pace,
        metrics: BotMetrics,
        dispatch: Callable[[Post], object],
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._voice = voice
        self._sender = sender
        self._drafter = drafter
        self._settings = settings
        self._places = places
        self._pace = pace
        self._dispatch = dispatch  # a post of another channel
        self._metrics = metrics
        self._failures: Counter[int] = Counter()
        self._suspects: set[int] = set()

    async def answer(self, pending: PendingMessage) -> None:
        """Reach the verdict on one message, and post what it brings. Raises EngineError if the engine failed: the message
        goes on waiting, unless the engine lives and only this one fails again and again."""
        talk = self._places.talk(pending.channel)
        counted = max(talk.hourly, talk.user_hourly, policy.LOOP)
        policy_context = await self._store.inbox.policy_context(pending, counted)
        if not policy_context.open:  # by an earlier try, which may have ended before all was posted
            await self._deliver(await self._store.outbox.unsent_answer(pending))
            return
        verdict = self.judged(pending, policy_context)
        if not verdict.answer:
            await self._settled(pending, verdict.verdict, verdict.reason)
            return
        began = time.monotonic()
        try:
            async with self._gateway.typing(pending.channel) if talk.typing else nullcontext():
                draft = await self._drafter.draft(pending)
                if draft and draft.parts and not draft.rejection:
                    await self._pace.typed(pending.channel, draft.parts[0].text, began)
        except EngineError:
            if not await self._at_fault(pending):
                raise
            self._done_with(pending)
            await self._settled(pending, "silenced", "engine failed")
            return
        self._done_with(pending)
        draft = await self._introducing(pending, draft)
        if draft is None:
            await self._settled(pending, "declined", "deleted")
        elif draft.rejection:
            kind = "declined" if draft.rejection == REACTION_NOT_ALLOWED else "silenced"
            await self._settled(pending, kind, draft.rejection, draft)
        elif shown := await self._shown(pending, draft):
            for post in await self._settled(pending, "drafted", verdict.reason, draft, shown):
                self._dispatch(post)
        else:
            await self._deliver(await self._settled(pending, "answered", verdict.reason, draft))

    async def _shown(self, pending: PendingMessage, draft: Draft) -> tuple[str, OutgoingPart] | None:
        """Return where the draft is shown to the owner of the chat, and how; None if it is to be posted at once."""
        owner, needed = drafts_channel(pending.channel), self._places.talk(pending.channel).auto_after
        place = (pending.account, pending.channel)
        if not owner or (needed and await self._store.drafts.approved(*place) >= needed):
            return None
        asked = await self._store.memory.remembered(*place, pending.message_id, 1)
        people = await self._store.people.in_channel(*place, [pending.author_id])
        name = people[pending.author_id].name if pending.author_id in people else pending.author_id
        said = "\n".join(line for message in asked for line in message.lines)
        answer = "\n".join(part.text for part in draft.parts)
        return owner, OutgoingPart(_draft_text(f"{name}: {said}", answer, self._gateway.limits), ())

    async def _deliver(self, posts: Iterable[Post]) -> None:
        """Post what is left of an answer, in its order."""
        for post in posts:
            if not await self._sender.deliver(post):
                return

    def judged(self, pending: PendingMessage, policy_context: PolicyContext) -> policy.Verdict:
        """Return the verdict of policy on a message."""
        now = self._store.clock()
        moment = policy.Moment(
            datetime.fromtimestamp(now, UTC),
            age=now - pending.at,
            since_spoke=now - policy_context.last_spoke,
            silent=policy_context.silent,
            newer_waits=policy_context.newer_waits,
            recent=policy_context.recent,
        )
        zone = self._settings.tweets.timezone
        return policy.judge(
            self._places.talk(pending.channel), pending.trigger, moment, is_dm=pending.is_dm, timezone=zone
        )

    async def _introducing(self, pending: PendingMessage, draft: Draft | None) -> Draft | None:
        """Return the draft with what the persona says of itself, where all that is said is one post."""
        if not draft or not draft.parts or not takes_one_post(pending.channel):
            return draft
        parts = in_one_post(draft.parts, await self._opening(pending), self._gateway.limits)
        return replace(draft, parts=parts)

    async def _opening(self, pending: PendingMessage) -> list[OutgoingPart]:
        """Return the post in which the persona introduces itself, if that is wanted and was not done."""
        if not self._places.talk(pending.channel).introduce:
            return []
        place = (pending.account, pending.channel, pending.author_id)
        return await introduction(self._store, self._settings.persona.name, self._gateway.limits, *place)

    async def _settled(
        self,
        pending: PendingMessage,
        verdict: str,
        reason: str,
        draft: Draft | None = None,
        shown: tuple[str, OutgoingPart] | None = None,
    ) -> list[Post]:
        parts = draft.parts if draft and not draft.rejection else ()
        if parts and not shown and not takes_one_post(pending.channel):
            parts = [*await self._opening(pending), *parts]
        merged = draft.merged if draft else ()
        answer = draft.answer if draft else None
        posts = await self._store.inbox.settle(
            pending, verdict, reason, parts, merged=merged, answer=answer, draft=shown
        )
        self._metrics.verdicts.labels(verdict, reason).inc()
        spoke = self._voice.version
        log.info(
            Event("verdict", channel=pending.channel, verdict=verdict, reason=reason, posts=len(posts), version=spoke)
        )
        return posts

    async def _at_fault(self, pending: PendingMessage) -> bool:
        """Return whether a request that failed is itself the reason: it failed often, and twice while another one
        didn't."""
        self._metrics.faults.labels("engine").inc()
        await self._voice.engine.start()
        self._failures[pending.id] += 1
        if self._failures[pending.id] < GIVE_UP or not await self._engine_lives():
            self._suspects.discard(pending.id)
            return False
        suspected = pending.id in self._suspects
        self._suspects.add(pending.id)
        return suspected

    async def _engine_lives(self) -> bool:
        ids = tweet_prompt(self._voice.encoding, self._voice.seal)
        try:
            await complete(self._voice.engine, Request(ids, SamplingParams(max_new_tokens=1), seed=0))
        except EngineError:
            return False
        return True

    def _done_with(self, pending: PendingMessage) -> None:
        self._failures.pop(pending.id, None)
        self._suspects.discard(pending.id)


def _draft_text(said: str, answer: str, limits: Limits) -> str:
    """Return how a draft is shown: the answer as far as there is room, a mark where it goes on, and above it what was said."""
    room = limits.units - len(_GOES_ON) - 2
    shown = answer if length(answer) <= room - SAID_UNITS else split(answer, room - SAID_UNITS)[0] + _GOES_ON
    asked = escaped(said, limits.markup)
    asked = asked if length(asked) <= SAID_UNITS else split(asked, SAID_UNITS - 1)[0] + "…"
    return f"{asked}\n\n{shown}"
