"""What votes that were never trained on say of an adapter: does it prefer what was liked? Pure."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from trainer.evaluate.intervals import Figure, Numbers, bootstrap
from trainer.evaluate.two_sample import area

PERMUTATIONS = 9999
MAX_CHANCE = 0.01  # of so many candidates that learned nothing, one passes


@dataclass(frozen=True, slots=True)
class Preference:
    """accuracy: how often a liked answer's reward is above a refused one's; .5 is chance, and what the adapter before has.
    chance: how likely so much comes of votes that mean nothing. liked, refused: answers that were held out."""

    accuracy: Figure | None
    chance: float
    liked: int
    refused: int

    @property
    def objection(self) -> str:
        """Return why the candidate must not speak, "" if the held-out votes are for it."""
        if self.accuracy is None:
            return (
                f"of the votes held out to judge by {self.liked} are for an answer and {self.refused} against one; both sorts "
                "are needed, so go on voting"
            )
        if self.chance > MAX_CHANCE:
            return (
                f"on {self.liked + self.refused} held-out votes it prefers what was liked in {self.accuracy.value:.0%} of pairs, "
                f"which may be chance (p = {self.chance:.3f}); go on voting"
            )
        return ""


def preference(liked: Numbers, refused: Numbers) -> Preference:
    """Return what the rewards of held-out answers say; chance is that of a permutation test, exact however few they are."""
    counts = (len(liked), len(refused))
    if not all(counts):
        return Preference(None, 1.0, *counts)
    ranks = rankdata(np.concatenate([liked, refused]))
    shuffled = np.random.default_rng(0).permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1)
    as_good = int((shuffled[:, : counts[0]].sum(axis=1) >= ranks[: counts[0]].sum() - 1e-9).sum())
    return Preference(bootstrap(area, liked, refused), (as_good + 1) / (PERMUTATIONS + 1), *counts)
