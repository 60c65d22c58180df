"""How well a passage answers a cue: BM25 over the terms of the last turns, those of the very last counting most. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persona.archive.passages import Passage
from persona.archive.terms import terms_of
from persona.transcript import Quote, Turn

CUE_TURNS, CUE_CHARACTERS, CUE_TERMS = 6, 2000, 200  # turns that remind of something; of each, what is read
SPEAKER_WEIGHT = 0.3  # of who asks, where a word of the last turn is 1
FADING = 0.6  # what a turn counts of the one after it
COMMON_SHARE, COMMON_COUNT = 0.1, 5  # of passages: a term that so many hold reminds of nothing
USUAL_TERMS = 40.0  # of a passage, if there is no archive to tell
SATURATION, LENGTH_SHARE = 1.2, 0.3  # BM25's k1 and b; passages are of about one length


@dataclass(frozen=True, slots=True)
class Cue:
    """What reminds of something.

    turns: of the talk, oldest first. quote: what is answered, if not the last of them. at: UTC seconds; only what had ended
    before comes to mind, and None is now. conversation: its id; its own passages don't come to mind. dm: in a DM the
    trained key of the other person, "" elsewhere; passages from a DM come to mind in that DM alone.
    """

    turns: Sequence[Turn]
    quote: Quote | None = None
    at: float | None = None
    conversation: str = ""
    dm: str = ""


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage and how well it answers a cue; more is better."""

    score: float
    passage: Passage


def weights_of(cue: Cue) -> dict[str, float]:
    """Return the terms of a cue, names of the speakers among them, with how much each counts; none if it has no words."""
    weights: dict[str, float] = {}

    def add(text: str, weight: float) -> None:
        for term in terms_of(text)[-CUE_TERMS:]:
            weights[term] = max(weight, weights.get(term, 0.0))

    last = list(enumerate(reversed(cue.turns[-CUE_TURNS:])))
    for age, turn in last:
        add("\n".join(turn.lines)[-CUE_CHARACTERS:], FADING**age)
    if cue.quote:
        add(cue.quote.words, 1.0)
    if weights:
        for age, turn in last:
            add(turn.speaker, SPEAKER_WEIGHT * FADING**age)
    return weights


@dataclass(frozen=True, slots=True)
class PassageScorer:
    """Scores passages. weights: of the cue's terms that tell something. idf: how rare each is. usual: terms of a passage."""

    weights: Mapping[str, float]
    idf: Mapping[str, float]
    usual: float

    def score(self, terms: Sequence[str]) -> float:
        """Return how well a passage of these terms answers the cue; 0.0 if it holds nothing of it."""
        held = self.weights.keys() & terms
        if not held:
            return 0.0
        long = 1 - LENGTH_SHARE + LENGTH_SHARE * len(terms) / max(1.0, self.usual)
        counts = {
            term: terms.count(term) for term in self.weights if term in held
        }  # in an order that is always the same
        return sum(
            self.weights[term] * self.idf[term] * count * (SATURATION + 1) / (count + SATURATION * long)
            for term, count in counts.items()
        )


def scorer_of(
    weights: Mapping[str, float], frequencies: Mapping[str, int], passages: int, usual: float
) -> PassageScorer:
    """Return a scorer without the terms that are common. frequencies: how many of all `passages` hold each term."""
    most = max(COMMON_COUNT, COMMON_SHARE * passages)
    telling = {term: weight for term, weight in weights.items() if frequencies.get(term, 0) <= most}
    idf = {term: inverse_frequency(frequencies.get(term, 0), passages) for term in telling}
    return PassageScorer(telling, idf, usual)


def inverse_frequency(frequency: int, passages: int) -> float:
    """Return how much a term tells that so many of all passages hold."""
    return math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))
