"""What the persona says without being asked: a random tweet, or a word in another scene."""

import secrets
from dataclasses import dataclass

from bot.metrics import BotMetrics
from bot.store import Answer, BotStore
from bot.talk.answer_record import answer_of
from bot.talk.delivery import sayable
from bot.talk.history import ThreadContext, turns_of
from bot.talk.places import Places
from bot.talk.recollection import Recollection
from bot.talk.rejections import rejection_reason
from bot.talk.speakers import named_back, without_stand_ins
from bot.talk.variety import Variety
from engine.voice import Voice
from persona.names import normalise
from persona.prompt import tweet_scene

DRAFTS = 5  # tries before there is nothing new to say


@dataclass(frozen=True, slots=True)
class ProactivePost:
    """lines: what is to be said, () if nothing new came to mind. answer: how it was made."""

    lines: tuple[str, ...] = ()
    answer: Answer | None = None


class ProactivePosts:
    """Makes texts that answer nothing; does not post them. recollection: what comes to mind before words in a channel."""

    def __init__(
        self, store: BotStore, voice: Voice, places: Places, metrics: BotMetrics, recollection: Recollection
    ) -> None:
        self._store = store
        self._voice = voice
        self._places = places
        self._metrics = metrics
        self._recollection = recollection

    async def tweet(self) -> ProactivePost:
        """Return a tweet that leaves the last ones as varied as the person's; an empty one if every draft was rejected. One that
        only begins as too many did is said if nothing better comes."""
        variety = Variety(self._voice.seal.data, reversed(await self._store.timetable.tweeted()))
        scene, fallback = tweet_scene(self._voice.seal), ProactivePost()
        for _ in range(DRAFTS):
            held_back: list[str] = []
            tweet = await self._voice.tweet(secrets.randbits(31), rejections=held_back)
            lines = sayable(without_stand_ins(tweet, self._voice.seal))
            self._metrics.held_back(held_back)
            nothing = "" if lines else "guard" if held_back else "empty"
            rejection = nothing or variety.rejection("\n".join(lines))
            post = ProactivePost(lines, answer_of(self._voice.seal, scene, (), (), tweet))
            if not rejection:
                return post
            if rejection == "opening" and not fallback.lines:
                fallback = post
            self._metrics.objections.labels(rejection).inc()
        return fallback

    async def words(self, scene: str, account: str, channel: str) -> ProactivePost:
        """Return what the persona says when it speaks up in a channel, in this scene."""
        if scene == "timeline":
            return await self.tweet()
        talk = self._places.talk(channel)
        remembered = await self._store.memory.latest(account, channel, talk.context_turns)
        turns = turns_of(ThreadContext(remembered), talk.context_turns, self._voice.seal.max_length)
        recalled = await self._recollection.before_post(account, channel, scene, remembered, turns)
        held_back: list[str] = []
        reply = await self._voice.reply(
            scene,
            turns,
            secrets.randbits(31),
            memories=recalled.excerpts,
            channel=f"{account} {channel}",
            rejections=held_back,
        )
        self._metrics.held_back(held_back)
        named = [message for message in (*remembered, *recalled.heard) if message.name]
        names = {each.speaker: each.name for each in named if normalise(each.name) != each.speaker}
        lines = tuple(named_back(line, names) for line in without_stand_ins(reply, self._voice.seal))
        own = ["\n".join(message.lines) for message in remembered if not message.author_id]
        rejection = rejection_reason(lines, [*own, *recalled.lines])
        if rejection:
            self._metrics.objections.labels(rejection).inc()
            return ProactivePost()
        return ProactivePost(lines, answer_of(self._voice.seal, scene, turns, remembered, reply))

    def kept_of(self, post: ProactivePost, channel: str) -> Answer | None:
        """Return how a post was made if people may rate what is said in the channel."""
        return post.answer if self._places.talk(channel).feedback else None
