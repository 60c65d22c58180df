"""What a voice replies to given contexts: the same voice, engine and guard that will speak to people."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from engine.voice import Voice
from persona.guard import Guard
from persona.markers import is_reaction
from persona.prompt import reply_prompt
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced, spread

BATCH = 64  # requests submitted at once; the engine schedules them
FIRST_BATCH = 16  # if time is limited: by it the next ones are known to fit
STEP = 7919  # between two seeds
TIMED_REPLIES = 16  # asked for one at a time


@dataclass(frozen=True, slots=True)
class GeneratedReply:
    """A reply to a context. unguarded: what would have been said without a guard. Both are lines."""

    context: ReplyContext
    lines: tuple[str, ...]
    unguarded: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the lines as a reader sees them."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class TimedReply:
    """A reply and what it cost. seconds: from asking to the last word, alone; None if not measured. prompt_tokens,
    answer_tokens: that were read and written; None if unknown."""

    reply: GeneratedReply
    seconds: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


def texts_of(replies: Sequence[GeneratedReply]) -> list[str]:
    """Return the texts of the replies, silences and reactions left out."""
    return [reply.text for reply in replies if reply.lines and not is_reaction(reply.lines)]


def generate(
    voice: Voice,
    reply_contexts: Sequence[ReplyContext],
    seed: int = 0,
    *,
    speaker: str = "",
    tuned: bool = True,
    until: float = float("inf"),
    at_least: int = FIRST_BATCH,
    advance: Callable[[float], None] = lambda _: None,
) -> list[GeneratedReply]:
    """Return the reply of `voice` to each context, in order. until: on time.monotonic()'s clock; contexts that don't fit are left
    out, evenly spread, and `at_least` are asked. advance: called with the number of contexts done."""
    order = range(len(reply_contexts)) if until == float("inf") else spread(len(reply_contexts))

    async def generate_all() -> list[GeneratedReply]:
        await voice.engine.start()
        try:
            replies: list[GeneratedReply] = []
            began = time.monotonic()
            while len(replies) < len(order):
                size = batch_size(len(replies), time.monotonic() - began, until - time.monotonic(), at_least)
                if not size:
                    break
                some = order[len(replies) : len(replies) + size]
                asked = (_reply(voice, reply_contexts[place], seed + place * STEP, speaker, tuned) for place in some)
                replies += await asyncio.gather(*asked)
                advance(len(some))
            return [reply for _, reply in sorted(zip(order, replies, strict=False), key=itemgetter(0))]
        finally:
            await voice.engine.close()

    return asyncio.run(generate_all())


def timed(voice: Voice, replies: Sequence[GeneratedReply], count: int = TIMED_REPLIES) -> list[TimedReply]:
    """Return the replies with the tokens of each and, of `count` of them, the seconds that they take one at a time."""
    some = set(evenly_spaced(range(len(replies)), count))

    async def seconds_of_some() -> dict[int, float]:
        await voice.engine.start()
        try:
            seconds: dict[int, float] = {}
            for place in sorted(some):
                began = time.monotonic()
                await _reply(voice, replies[place].context, place * STEP, "", True)
                seconds[place] = time.monotonic() - began
            return seconds
        finally:
            await voice.engine.close()

    seconds = asyncio.run(seconds_of_some()) if some else {}
    written = voice.encoding.encode_many([reply.text for reply in replies])
    return [
        TimedReply(reply, seconds.get(place), len(prompt_ids(voice, reply.context)), len(ids) + 1)
        for place, (reply, ids) in enumerate(zip(replies, written, strict=True))
    ]


def prompt_ids(voice: Voice, context: ReplyContext) -> tuple[int, ...]:
    """Return the ids that a voice reads before it answers."""
    room = min(voice.sampling.max_new_tokens, voice.seal.max_length // 2)
    return reply_prompt(
        voice.encoding,
        voice.seal,
        context.scene,
        context.before,
        room=room,
        quote=context.real.quote,
        memories=context.memories,
        year=context.year,
    )


def batch_size(done: int, spent: float, left: float, first: int = FIRST_BATCH) -> int:
    """Return how many requests to submit next: those that fit into the seconds left, at the pace of those done in `spent`
    seconds; at least a first batch of `first` in all."""
    if left == float("inf"):
        return BATCH
    return min(BATCH, int(left * done / spent)) if done and left > 0 else 0 if done else first


async def _reply(voice: Voice, context: ReplyContext, seed: int, speaker: str, tuned: bool) -> GeneratedReply:
    async def lines(speaking: Voice) -> tuple[str, ...]:
        return await speaking.reply(
            context.scene,
            context.before,
            seed,
            quote=context.real.quote,
            memories=context.memories,
            speaker=speaker,
            year=context.year,
            tuned=tuned,
        )

    unguarded = await lines(replace(voice, guard=Guard()))
    objection = voice.guard.check("\n".join(unguarded))
    return GeneratedReply(context, await lines(voice) if objection else unguarded, unguarded)
