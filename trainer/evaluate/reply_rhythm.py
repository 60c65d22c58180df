"""How far the persona's delays are from the person's in held-out talk: the Kolmogorov-Smirnov distance."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import ks_2samp

from persona.reply_timing import ReplyTiming, draw_of
from trainer.corpus.reply_times import ReplyDelay
from trainer.evaluate.intervals import Figure, bootstrap

FAST_SECONDS = 2.0  # what an answer takes with [talk] rhythm = "fast" ([talk] merge)
MIN_REPLIES = 20


def delay_distance(timing: ReplyTiming, real: Sequence[ReplyDelay]) -> Figure | None:
    """Return the distance of the delays that the persona would draw for these replies from what they took."""
    drawn = [_drawn(timing, reply, number) for number, reply in enumerate(real)]
    return _distance(drawn, [reply.seconds for reply in real])


def fast_distance(real: Sequence[ReplyDelay]) -> Figure | None:
    """Return the distance of an answer that always comes at once."""
    return _distance([FAST_SECONDS] * len(real), [reply.seconds for reply in real])


def _drawn(timing: ReplyTiming, reply: ReplyDelay, number: int) -> float:
    draw = draw_of("held out", str(number))
    typing = reply.typed / timing.typing if timing.typing else 0.0
    return timing.delay(is_hot=reply.is_hot, characters=reply.characters, draw=draw) + typing


def _distance(ours: Sequence[float], theirs: Sequence[float]) -> Figure | None:
    if len(theirs) < MIN_REPLIES:
        return None
    samples = np.array(ours), np.array(theirs)
    return bootstrap(lambda some, rest: float(ks_2samp(some, rest).statistic), *samples, centred=True)
