"""What is closest to and farthest from the person: texts by the judge between real and imitated, and words said too often."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from persona.word_tokens import word_tokens
from trainer.evaluate.two_sample import MIN_TEXTS, scores

SHOWN = 3
WORDS = 12
MIN_OCCURRENCES = 5  # that a word was said by either, before anything is made of it


@dataclass(frozen=True, slots=True)
class Extremes:
    """closest, farthest: imitated texts that are hardest and easiest to tell from real ones. overused, underused: words said too
    often and not often enough, the clearest first."""

    closest: Sequence[str]
    farthest: Sequence[str]
    overused: Sequence[str]
    underused: Sequence[str]


def extremes(real: Sequence[str], generated: Sequence[str]) -> Extremes | None:
    """None with too few texts."""
    if min(len(real), len(generated)) < MIN_TEXTS:
        return None
    separability, _ = scores(real, generated)
    ordered = list(dict.fromkeys(generated[k] for k in np.argsort(separability)))
    words = _by_log_odds(real, generated)
    return Extremes(ordered[:SHOWN], ordered[::-1][:SHOWN], words[::-1][:WORDS], words[:WORDS])


def _by_log_odds(real: Sequence[str], generated: Sequence[str]) -> list[str]:
    """Return words by how much more often they are generated than real, in standard deviations of the log odds ratio
    (Monroe et al. 2008, with a flat prior)."""
    ours, theirs = (Counter(unit for text in texts for unit in word_tokens(text)) for texts in (generated, real))
    totals = ours.total(), theirs.total()

    def lead(word: str) -> float:
        our_count, their_count = ours[word] + 0.5, theirs[word] + 0.5
        odds = math.log(our_count / (totals[0] - our_count + 1)) - math.log(their_count / (totals[1] - their_count + 1))
        return odds / math.sqrt(1 / our_count + 1 / their_count)

    frequent = [word for word in {*ours, *theirs} if ours[word] + theirs[word] >= MIN_OCCURRENCES]
    return sorted(frequent, key=lambda word: (lead(word), word))
