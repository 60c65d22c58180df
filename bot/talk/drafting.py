"""What could be said to a message: what was heard up to now, what the model makes of it, and what stands against that."""

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bot.gateway import Gateway, NotSent, ResultUnknown, Undeliverable
from bot.metrics import BotMetrics
from bot.store import DAY, Answer, BotStore, Part, Remembered, Waiting
from bot.talk import delivery
from bot.talk.listener import Listener
from bot.talk.memory import in_one_go, scene_of, turns_of
from bot.talk.objections import REPEATS_OF, objection
from bot.talk.speakers import named_back
from engine.voice import Voice
from persona.config import Settings
from persona.names import normalise
from persona.transcript import Conversation, Turn, render

log = logging.getLogger("alterego.drafting")

LINES_A_TURN = 4  # messages read from memory for each turn wanted: a turn is seldom more
SECONDS_TO_ANSWER = 120.0  # what an engine gets; what is there by then is sent
DRAFTS = 3  # tries before an objection is taken for silence
FRESH_DRAFTS = 5  # times an answer is made anew because its author went on, edited or deleted


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be said. merged: ids of other messages that it answers too. why: what stands against saying it, ""
    for nothing. answer: what it was made of, where that is kept."""

    parts: Sequence[Part]
    merged: tuple[str, ...]
    why: str
    answer: Answer | None = None


class Drafter:
    """Makes the drafts of one gateway's account."""

    def __init__(
        self,
        store: BotStore,
        gateway: Gateway,
        voice: Voice,
        listener: Listener,
        settings: Settings,
        metrics: BotMetrics,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._voice = voice
        self._listener = listener
        self._settings = settings
        self._metrics = metrics
        self._filled: set[str] = set()  # channels of which it is known without asking the store

    async def draft(self, waiting: Waiting) -> Draft | None:
        """What to say to what was said in one go. Sampled at once, and looked at again when the author had time to go
        on: where they wrote more, edited or deleted meanwhile, it is sampled anew. None where the message is gone."""
        await self._fill(waiting)
        heard = await self._heard(waiting)
        draft = None
        for _ in range(FRESH_DRAFTS):
            if not heard:
                return None
            draft = await self._sampled(waiting, heard)
            await asyncio.sleep(self._patience(heard))
            before, heard = heard, await self._heard(waiting)
            if heard == before:
                break
        return draft

    async def _heard(self, waiting: Waiting) -> list[Remembered]:
        """The channel up to the last message with which the author went on; empty where the message is gone."""
        place = (waiting.account, waiting.channel, waiting.message_id)
        most = self._settings.talk.context_turns * LINES_A_TURN
        heard = await self._store.memory.remembered(*place, most)
        merge = self._settings.talk.merge.total_seconds()
        if not heard or not merge:
            return heard
        following = await self._store.memory.following(*place, most)
        return (heard + in_one_go(heard[-1], following, merge))[-most:]

    def _patience(self, heard: Sequence[Remembered]) -> float:
        """Seconds for which the author may still go on, whatever their clock and ours say."""
        merge = self._settings.talk.merge.total_seconds()
        return min(max(0.0, heard[-1].at + merge - self._store.clock()), merge)

    async def _sampled(self, waiting: Waiting, heard: Sequence[Remembered]) -> Draft:
        """A draft against which nothing stands, or why there is none."""
        scene = scene_of(self._voice.seal, waiting.is_dm)
        turns = turns_of(heard, self._settings.talk.context_turns, self._voice.seal.max_length // 2)
        ids = [one.message_id for one in heard]
        merged = tuple(ids[ids.index(waiting.message_id) + 1 :]) if waiting.message_id in ids else ()
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        why = ""
        for _ in range(DRAFTS):
            held_back: list[str] = []
            with self._metrics.seconds.labels("engine").time():
                lines = await self._voice.reply(
                    scene,
                    turns,
                    secrets.randbits(31),
                    channel=f"{waiting.account} {waiting.channel}",
                    deadline=deadline,
                    objections=held_back,
                )
            self._metrics.held_back(held_back)
            parts = await self._parts(waiting, lines)
            said = [line for part in parts for line in part.said]
            own = await self._store.memory.own(waiting.account, waiting.channel, REPEATS_OF)
            earlier = ["\n".join(one.lines) for one in own]
            why = "guard" if held_back and not lines else objection(said, earlier)
            if not why:
                self._metrics.tokens.inc(len(self._voice.encoding.encode("\n".join(lines))))
                return Draft(parts, merged, "", self._made(scene, turns, heard, lines))
            self._metrics.objections.labels(why).inc()
            if not lines:  # the voice has tried again by itself
                break
        return Draft([], merged, why, None)

    async def _parts(self, waiting: Waiting, lines: Sequence[str]) -> list[Part]:
        bearers = await self._store.people.bearers(waiting.account, waiting.channel)
        names = {one.speaker: one.name for one in bearers.values() if one.name and normalise(one.name) != one.speaker}
        named = [named_back(line, names) for line in lines]
        return delivery.posts(named, self._gateway.limits, bursts=self._settings.talk.bursts)

    def _made(
        self, scene: str, turns: Sequence[Turn], heard: Sequence[Remembered], lines: Sequence[str]
    ) -> Answer | None:
        """What the answer was made of, where people may rate it."""
        if not self._settings.talk.feedback:
            return None
        authors = tuple(sorted({one.author_id for one in heard} - {""}))
        prompt = render(Conversation(scene, tuple(turns), self._voice.seal.year))
        return Answer(prompt, "\n".join(lines), f"{self._voice.seal.speaker} {self._voice.seal.created}", authors)

    async def _fill(self, waiting: Waiting) -> None:
        """At the first contact with a channel, read what was said there before; its failure is nobody's loss."""
        account, channel = waiting.account, waiting.channel
        if channel in self._filled or await self._store.memory.is_filled(account, channel):
            self._filled.add(channel)
            return
        before = await self._store.memory.oldest_id(account, channel) or waiting.message_id
        try:
            most = self._settings.talk.context_turns * LINES_A_TURN
            said = await self._gateway.history(channel, before, most)
        except NotSent:
            return  # not connected: asked again with the next message
        except (Undeliverable, ResultUnknown) as failure:
            log.info("history can't be read channel=%s reason=%s", channel, failure)
            said = []
        oldest = self._store.clock() - self._settings.store.keep_days * DAY
        heard = await self._listener.heard(account, [one for one in said if one.at >= oldest])
        await self._store.memory.fill(account, channel, heard)
