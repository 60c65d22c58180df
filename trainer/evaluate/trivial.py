"""The trivial models that an adapter has to beat: a table of letter sequences, and the person's own words shuffled."""

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from persona.word_tokens import is_cjk
from trainer.evaluate.intervals import Numbers

ORDER = 4  # letters before the one that is predicted
MOST_CHARACTERS = 300_000  # that a table is made of; more take seconds and hardly change it
UNSEEN = 200  # characters besides those that were seen, among which the lowest order spreads what is left
_START, _END = "\x01", "\x00"
_PIECE = re.compile(r"\S+")


class LetterTable:
    """How often a letter follows up to ORDER others, interpolated (Witten and Bell, 1991, method C)."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        read = 0
        for text in texts:
            if read >= MOST_CHARACTERS:
                break
            read += len(text)
            before = _START * ORDER
            for letter in text + _END:
                for length in range(ORDER + 1):
                    self._counts[before[ORDER - length :]][letter] += 1
                before = before[1:] + letter
        self._totals = {before: counts.total() for before, counts in self._counts.items()}

    def bits(self, texts: Sequence[str]) -> Numbers:
        """Return bits and characters of each text [n, 2], its end counted among the bits."""
        return np.array([(self._bits(text), max(1, len(text))) for text in texts], dtype=float)

    def _bits(self, text: str) -> float:
        total, before = 0.0, _START * ORDER
        for letter in text + _END:
            total -= math.log2(self._probability(before, letter))
            before = before[1:] + letter
        return total

    def _probability(self, before: str, letter: str) -> float:
        share = 1 / (len(self._counts[""]) + UNSEEN)
        for length in range(ORDER + 1):
            context = before[ORDER - length :]
            total = self._totals.get(context)
            if total is None:
                break
            counts = self._counts[context]
            share = (counts[letter] + len(counts) * share) / (total + len(counts))
        return share


def shuffled(texts: Sequence[str], seed: int = 0) -> list[str]:
    """Return the texts with the words of each in any order; characters where a script has no blanks."""
    rng = random.Random(seed)
    return [_shuffled(text, rng) for text in texts]


def _shuffled(text: str, rng: random.Random) -> str:
    pieces = [part for word in _PIECE.findall(text) for part in (word if any(map(is_cjk, word)) else [word])]
    rng.shuffle(pieces)
    return "".join(piece if is_cjk(piece[0]) else f" {piece} " for piece in pieces).strip()
