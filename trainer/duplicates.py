"""Messages said nearly the same again by the same person. Short habits ("good morning") keep their frequency: they are the
voice; long texts said ten times over are what a model recites (Kandpal and others, arXiv 2202.06539)."""

from collections.abc import Callable, Iterator, Sequence

from rensa import RMinHash, RMinHashLSH

from persona.units import units
from trainer.conversations import Row

FEWEST_UNITS = 8  # shorter messages are habits
ALIKE = 0.8  # Jaccard similarity of shingles
SHINGLE = 3  # units
_PERMUTATIONS, _BANDS = 64, 16  # similar at .8: found with a chance of 99.98%; what is found is then compared exactly


def repeated(rows: Sequence[Row], speaker: Callable[[Row], str]) -> Iterator[int]:
    """The places in `rows` of messages that say nearly what the same speaker said at an earlier place."""
    index = RMinHashLSH(threshold=ALIKE, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    for place, row in enumerate(rows):
        shingles = _shingles(row, speaker(row))
        if not shingles:
            continue
        sketch = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        sketch.update(sorted(shingles))
        earlier = (rows[other] for other in index.query(sketch))
        if any(_likeness(shingles, _shingles(one, speaker(one))) >= ALIKE for one in earlier):
            yield place
        else:
            index.insert(place, sketch)


def _shingles(row: Row, speaker: str) -> frozenset[str]:
    """Runs of units, marked with the speaker so that only their own are alike. Empty for short messages."""
    said = units("\n".join(row.lines))
    if len(said) < FEWEST_UNITS:
        return frozenset()
    return frozenset(
        f"{speaker}\n{' '.join(said[start : start + SHINGLE])}" for start in range(len(said) - SHINGLE + 1)
    )


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
