"""One message in, one verdict out: policy, memory, engine, delivery, and the store's word on it."""

import logging
import secrets
import time

from bot.engine.voice import Voice
from bot.gateways.base import Gateway
from bot.store import Store, Waiting
from bot.talk import delivery, policy
from bot.talk.memory import scene_of, turns_of
from bot.talk.sender import Sender
from bot.talk.speakers import named_back
from persona.config import Settings
from persona.names import normalise

log = logging.getLogger("alterego.reply")

LINES_A_TURN = 4  # messages read from memory for each turn wanted: a turn is seldom more
SECONDS_TO_ANSWER = 120.0  # what an engine gets; what is there by then is sent


class Replier:
    """Answers what waits in the inbox of one gateway's account."""

    def __init__(self, store: Store, gateway: Gateway, voice: Voice, sender: Sender, settings: Settings) -> None:
        self._store = store
        self._gateway = gateway
        self._voice = voice
        self._sender = sender
        self._settings = settings

    async def answer(self, waiting: Waiting) -> None:
        """Reach the verdict on one message. Raises EngineError where the engine failed: the message goes on waiting."""
        now = time.time()
        since = now - await self._store.last_spoke(waiting.account, waiting.channel)
        verdict = policy.judge(self._settings.talk, age=now - waiting.at, since_reply=since, is_dm=waiting.is_dm)
        if not verdict.answer:
            await self._store.settle(waiting, "expired" if verdict.reason == "expired" else "declined", verdict.reason)
            return
        async with self._gateway.typing(waiting.channel):
            texts = await self._texts(waiting)
        posts = await self._store.settle(
            waiting, "answered" if texts else "silenced", verdict.reason if texts else "nothing to say", texts
        )
        log.info(
            "verdict channel=%s verdict=%s posts=%d seconds=%.1f",
            waiting.channel,
            "answered" if texts else "silenced",
            len(posts),
            time.time() - now,
        )
        for post in posts:
            await self._sender.deliver(post)

    async def _texts(self, waiting: Waiting) -> list[str]:
        talk = self._settings.talk
        remembered = await self._store.remembered(
            waiting.account, waiting.channel, waiting.message_id, talk.context_turns * LINES_A_TURN
        )
        lines = await self._voice.reply(
            scene_of(self._voice.seal, waiting.is_dm),
            turns_of(remembered, talk.context_turns),
            secrets.randbits(31),
            channel=f"{waiting.account} {waiting.channel}",
            deadline=time.monotonic() + SECONDS_TO_ANSWER,
        )
        bearers = await self._store.bearers(waiting.account, waiting.channel)
        names = {one.speaker: one.name for one in bearers.values() if normalise(one.name) != one.speaker}
        return delivery.posts(
            [named_back(line, names) for line in lines], bursts=talk.bursts, units=self._gateway.limits.units
        )
