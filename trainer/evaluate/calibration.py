"""Choose the sampling that sounds most like the persona, on judge A by successive halving, never on judge B."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from engine.voice import Voice
from persona.sampling import SamplingParams
from trainer.evaluate.diversity import distinct
from trainer.evaluate.generation import generate
from trainer.evaluate.reference_set import MIN_TEXTS, ReferenceSet, common_words
from trainer.evaluate.reply_context import evenly_spaced
from trainer.evaluate.shape import length_distance
from trainer.evaluate.two_sample import area, scores
from trainer.evaluate.voice_ratio import ratio

TEMPERATURES = (1.0, 0.9, 0.8, 1.1, 0.7, 0.6)  # what is chosen most often first: with little time only these are tried
TRUNCATIONS = ((1.0, 0.0), (0.95, 0.0), (1.0, 0.02), (1.0, 0.05))  # top_p, min_p
ROUNDS = ((24, 0.25), (8, 0.5), (3, 1.0))  # settings kept, share of the contexts asked
MIN_CONTEXTS = 2 * MIN_TEXTS  # asked at each setting
TIMED_REPLIES = 16  # replies by which it is known how long one takes
MIN_MESSAGES_TO_CALIBRATE = 100  # with fewer the best of many settings is the luckiest
MAX_TWO_SAMPLE = 0.70  # the bounds: see docs/likeness.md
MAX_DISTINCT_CHANGE = 0.05  # from the human figure
MAX_LENGTH_RATIO = 1.5  # times the distance between human and human
VOICE_RATIO_CAP = 1.15  # a higher voice ratio is no better


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting and its figures on judge A. distinct: distinct-2 over the human one. length: distance of lengths over that
    between human and human."""

    sampling: SamplingParams
    texts: int
    voice_ratio: float
    two_sample: float
    distinct: float
    length: float

    @property
    def violation(self) -> float:
        """Return how far it leaves the bounds, in units of each figure; 0 is inside."""
        return (
            max(0.0, self.two_sample - MAX_TWO_SAMPLE)
            + max(0.0, abs(self.distinct - 1) - MAX_DISTINCT_CHANGE)
            + 0.1 * max(0.0, self.length - MAX_LENGTH_RATIO)
        )

    @property
    def rank(self) -> tuple[float, float]:
        """Return the sort key, smaller is better: inside the bounds first, then the higher ratio."""
        return (round(self.violation, 2), -min(self.voice_ratio, VOICE_RATIO_CAP))


def grid(start: SamplingParams) -> list[SamplingParams]:
    """Return the settings to try: those of `start` first, so that they stay where few replies tell nothing apart, then in an
    order whose beginning is spread over temperatures and truncations."""
    places = product(range(len(TEMPERATURES)), range(len(TRUNCATIONS)))
    settings = [
        replace(
            start,
            temperature=TEMPERATURES[warm],
            top_p=TRUNCATIONS[cut][0],
            min_p=TRUNCATIONS[cut][1],
            top_k=0,
            repetition_penalty=1.0,
        )
        for warm, cut in sorted(places, key=sum)
    ]
    own = replace(start, top_k=0, repetition_penalty=1.0)
    return sorted(settings, key=lambda one: one != own)


@dataclass(frozen=True, slots=True)
class HalvingRound:
    """A round of the search. settings: kept from the round before. contexts: that each is asked for."""

    settings: int
    contexts: int


def rounds_for(contexts: int, replies: float) -> list[HalvingRound]:
    """Return the rounds for so many held-out contexts, if there is time for so many replies in all: where they don't fit,
    fewer contexts are asked, then fewer settings tried, in fewer rounds."""
    whole = [HalvingRound(keep, max(MIN_CONTEXTS, round(share * contexts))) for keep, share in ROUNDS]
    fits = min(1.0, replies / sum(one.settings * one.contexts for one in whole))
    rounds: list[HalvingRound] = []
    for planned in whole:
        asked = max(MIN_CONTEXTS, round(fits * planned.contexts))
        left = replies - sum(done.settings * done.contexts for done in rounds)
        settings = min(planned.settings, int(left / asked))
        if rounds and settings < 2:
            break
        rounds.append(HalvingRound(max(1, settings), asked))
    return rounds


def calibrate(
    voice: Voice,
    references: ReferenceSet,
    human: Sequence[str],
    replies: float,
    until: float,
    advance: Callable[[float], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Trial]:
    """Return the trials of the last round, best first; none if there is too little to choose by, or no time for two settings.

    human: other real messages of the persona, for human against human. replies: how many may be asked for. until: on the
    clock; as much is tried as fits into both.
    advance: called with the share done."""
    enough = len(references.contexts) >= MIN_MESSAGES_TO_CALIBRATE and replies >= 2 * MIN_CONTEXTS
    if references.judge is None or not enough:
        return []
    began = clock()
    generate(voice, evenly_spaced(references.contexts, TIMED_REPLIES))
    seconds_a_reply = max(1e-6, (clock() - began) / TIMED_REPLIES)
    rounds = rounds_for(len(references.contexts), min(replies, (until - clock()) / seconds_a_reply))
    if rounds[0].settings < 2:  # nothing to choose from, and its replies are better spent on the figures
        return []
    left = grid(voice.sampling)
    best: list[Trial] = []
    for part in rounds:
        trials: list[Trial] = []
        for sampling in left[: part.settings]:
            if trials and clock() > until:
                break
            trials.append(_trial(replace(voice, sampling=sampling), references, human, part.contexts))
            advance(part.contexts / sum(each.settings * each.contexts for each in rounds))
        best = sorted(trials, key=lambda trial: trial.rank)
        left = [trial.sampling for trial in best]
        if clock() > until:
            break
    return best


def _trial(voice: Voice, references: ReferenceSet, human: Sequence[str], count: int) -> Trial:
    asked = evenly_spaced(references.contexts, count)
    texts = [reply.text for reply in generate(voice, asked)]
    said, real = [text for text in texts if text], [context.text for context in asked]
    if len(said) < MIN_TEXTS or references.judge is None:
        return Trial(voice.sampling, len(said), 0.0, 1.0, 0.0, 99.0)
    decisions = references.judge.decisions(said)
    words = common_words(said, real)
    usual = length_distance(evenly_spaced(human, len(said)), real)
    return Trial(
        voice.sampling,
        len(said),
        ratio(decisions.generated, decisions.real, decisions.others),
        area(*scores(real, said)),
        distinct(said, 2, words) / distinct(real, 2, words),
        length_distance(said, real) / max(usual, 0.02),
    )
