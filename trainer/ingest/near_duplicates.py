"""Messages said nearly the same again by the same person. Short habits ("good morning") keep their frequency: they are the
voice; long texts said ten times over are what a model recites (Kandpal and others, arXiv 2202.06539)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from rensa import RMinHash, RMinHashLSH

from persona.word_tokens import word_tokens
from trainer.corpus.segmentation import Row

MIN_WORDS = 8  # shorter messages are habits
MIN_SIMILARITY = 0.8  # Jaccard similarity of shingles
MIN_LENGTH = 2 * MIN_WORDS - 1  # characters; so many hold that many words, where blanks part them
_PERMUTATIONS, _BANDS = 64, 16  # similar at .8: found with a chance of 99.98%; what is found is then compared exactly
_AT_ONCE = 1024  # messages that are sketched together


def repeated(rows: Sequence[Row], speaker: Callable[[Row], str]) -> Iterator[int]:
    """Yield the places in `rows` of messages that say nearly what the same speaker said at an earlier place."""
    said: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        said.setdefault(speaker(row), []).append(place)
    for places in said.values():  # one after the other: an index takes a kilobyte a message
        yield from _repeated(rows, places)


def _repeated(rows: Sequence[Row], places: Iterable[int]) -> Iterator[int]:
    """Yield the same for the places of one speaker."""
    index = RMinHashLSH(threshold=MIN_SIMILARITY, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    long = ((place, shingles) for place in places if (shingles := _shingles(rows[place])))
    while together := list(islice(long, _AT_ONCE)):
        sketches = RMinHash.from_token_sets(
            [list(shingles) for _, shingles in together], num_perm=_PERMUTATIONS, seed=1
        )
        for (place, shingles), sketch in zip(together, sketches, strict=True):
            earlier = (_shingles(rows[place]) for place in index.query(sketch))
            if any(_jaccard(shingles, other) >= MIN_SIMILARITY for other in earlier):
                yield place
            else:
                index.insert(place, sketch)


def _shingles(row: Row) -> frozenset[str]:
    """Return the runs of three words in a message; none for short ones."""
    text = row.lines[0] if len(row.lines) == 1 else "\n".join(row.lines)
    if len(text) < MIN_LENGTH and text.isascii():
        return frozenset()
    said = word_tokens(text)
    if len(said) < MIN_WORDS:
        return frozenset()
    return frozenset(map(" ".join, zip(said, said[1:], said[2:], strict=False)))


def _jaccard(first: frozenset[str], other: frozenset[str]) -> float:
    return len(first & other) / len(first | other)
