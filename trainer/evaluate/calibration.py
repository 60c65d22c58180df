"""Which sampling sounds most like the persona: chosen on judge A by successive halving, never on judge B."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine.voice import Voice
from persona.sampling import SamplingParams
from trainer.evaluate.diversity import distinct
from trainer.evaluate.metrics import FEWEST, Ground, common_words
from trainer.evaluate.reply_context import spread
from trainer.evaluate.shape import length_distance
from trainer.evaluate.speaking import speak
from trainer.evaluate.two_sample import area, scores
from trainer.evaluate.voice_ratio import ratio

TEMPERATURES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
CUTS = ((1.0, 0.0), (0.95, 0.0), (1.0, 0.02), (1.0, 0.05))  # top_p, min_p
ROUNDS = ((24, 0.25), (8, 0.5), (3, 1.0))  # settings kept, share of the occasions asked
FEWEST_TO_CHOOSE = 100  # messages; with fewer the best of many settings is the luckiest
TWO_SAMPLE = 0.70  # the bounds: see docs/likeness.md
DISTINCT = 0.05  # from the human figure
LENGTH = 1.5  # times the distance between human and human
CARICATURE = 1.15  # a higher voice ratio is no better


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting and how it did on judge A. distinct: distinct-2 over the human one. length: distance of lengths over
    that between human and human. breach: by how much it leaves the bounds, 0 inside."""

    sampling: SamplingParams
    texts: int
    voice_ratio: float
    two_sample: float
    distinct: float
    length: float

    @property
    def breach(self) -> float:
        """How far outside the bounds, in units of each figure; 0 is inside."""
        return (
            max(0.0, self.two_sample - TWO_SAMPLE)
            + max(0.0, abs(self.distinct - 1) - DISTINCT)
            + 0.1 * max(0.0, self.length - LENGTH)
        )

    @property
    def rank(self) -> tuple[float, float]:
        """Smaller is better: inside the bounds first, then the higher ratio."""
        return (round(self.breach, 2), -min(self.voice_ratio, CARICATURE))


def grid(start: SamplingParams) -> list[SamplingParams]:
    """The settings that are tried."""
    return [
        replace(start, temperature=temperature, top_p=top_p, min_p=min_p, top_k=0, repetition_penalty=1.0)
        for temperature in TEMPERATURES
        for top_p, min_p in CUTS
    ]


def calibrate(
    voice: Voice, here: Ground, human: Sequence[str], until: float, advance: Callable[[float], None] = lambda _: None
) -> list[Trial]:
    """The trials of the last round, best first; empty where there is too little to choose by. human: other real messages
    of the persona, for what human against human is. until: on time.monotonic()'s clock; rounds that don't fit are left
    out. advance: called with the share done."""
    if here.bench is None or len(here.mine) < FEWEST_TO_CHOOSE:
        return []
    left = grid(voice.sampling)
    best: list[Trial] = []
    for number, (keep, share) in enumerate(ROUNDS):
        began = time.monotonic()
        count = max(2 * FEWEST, round(share * len(here.mine)))
        tried: list[Trial] = []
        for sampling in left[:keep]:
            if tried and time.monotonic() > until:
                break
            tried.append(_tried(replace(voice, sampling=sampling), here, human, count))
            advance(1 / sum(kept for kept, _ in ROUNDS))
        best = sorted(tried, key=lambda one: one.rank)
        left = [one.sampling for one in best]
        spent = time.monotonic() - began
        if number + 1 == len(ROUNDS) or time.monotonic() + spent > until:
            break
    return best


def _tried(voice: Voice, here: Ground, human: Sequence[str], count: int) -> Trial:
    asked = spread(here.mine, count)
    texts = [one.text for one in speak(voice, asked)]
    said, real = [text for text in texts if text], [one.text for one in asked]
    if len(said) < FEWEST or here.bench is None:
        return Trial(voice.sampling, len(said), 0.0, 1.0, 0.0, 99.0)
    made = here.bench.decisions(said)
    words = common_words(said, real)
    usual = length_distance(spread(human, len(said)), real)
    return Trial(
        voice.sampling,
        len(said),
        ratio(made.generated, made.real, made.others),
        area(*scores(real, said)),
        distinct(said, 2, words) / distinct(real, 2, words),
        length_distance(said, real) / max(usual, 0.02),
    )
