"""What figures of replies are measured on: replies to the same contexts, by a voice or a rival, and what they cost."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from persona.transcript import Turn
from trainer.evaluate.generation import TimedReply
from trainer.evaluate.intervals import Figure, bootstrap
from trainer.evaluate.likelihood import CANDIDATES, RELEVANCE_TURNS, Scorer
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced

FITTED_REPLIES = 100  # whose fit is measured, evenly spaced


@dataclass(frozen=True, slots=True)
class ReplySample:
    """The replies of one voice. scorer: tells how likely turns are; None if too little was held out. speaker: the persona's
    key."""

    replies: Sequence[TimedReply]
    scorer: Scorer | None
    speaker: str

    def relevance(self, seed: int = 0) -> Figure | None:
        """Return how often a reply is found among ten of the same voice by what it answers. The base without adapter judges,
        so no voice is judged by itself: by log p(reply | context) - log p(reply)."""
        answers = [_Answer.of(reply, self.speaker) for reply in self.replies if _answers_somebody(reply)]
        if self.scorer is None or len(answers) < CANDIDATES:
            return None
        answers = evenly_spaced(answers, FITTED_REPLIES)
        rng = random.Random(seed)
        alone = self.scorer.nats([(replace(answer.context, before=()), answer.turn) for answer in answers], tuned=False)
        hits = []
        for place, answer in enumerate(answers):
            others = [other for other in range(len(answers)) if answers[other].turn.lines != answer.turn.lines]
            if len(others) < CANDIDATES - 1:
                return None
            places = [place, *rng.sample(others, CANDIDATES - 1)]
            asked = [(answer.context, answers[other].turn) for other in places]
            gain = alone[places] - self.scorer.nats(asked, tuned=False)
            hits.append(float(gain[0] > gain[1:].max()))
        return bootstrap(_mean, np.array(hits))

    def mean(self, cost: Callable[[TimedReply], float | None]) -> Figure | None:
        """Return the mean cost of a reply; None if nobody counted."""
        known = [value for reply in self.replies if (value := cost(reply)) is not None]
        return bootstrap(_mean, np.array(known, dtype=float)) if known else None


@dataclass(frozen=True, slots=True)
class _Answer:
    context: ReplyContext
    turn: Turn

    @classmethod
    def of(cls, timed: TimedReply, speaker: str) -> "_Answer":
        context = timed.reply.context
        return cls(
            replace(context, before=context.before[-RELEVANCE_TURNS:], memories=()), Turn(speaker, timed.reply.lines)
        )


def _answers_somebody(timed: TimedReply) -> bool:
    context = timed.reply.context
    return bool(timed.reply.lines and context.before and context.before[-1].speaker != context.real.speaker)


def _mean(values: np.ndarray) -> float:
    return float(values.mean())
