"""A Markov chain of order 2 over words: the rival that needs no model, and that every bot has to beat."""

import random
import re
from collections.abc import Iterable, Sequence

from persona.word_tokens import is_cjk

_PIECE = re.compile(
    r"\n|[^\S\n]+|[\u0e00-\u0e7f\u2e80-\u9fff\uf900-\ufaff]|[^\s\u0e00-\u0e7f\u2e80-\u9fff\uf900-\ufaff]+"
)
_START = ("", "")

Chain = dict[tuple[str, str], list[str]]


def chain(texts: Iterable[str]) -> Chain:
    """Return what follows each pair of words; "" is the end."""
    follows: Chain = {}
    for text in texts:
        state = _START
        for word in [*_words(text), ""]:
            follows.setdefault(state, []).append(word)
            state = (state[1], word)
    return follows


def sample_texts(follows: Chain, count: int, seed: int = 0, longest: int = 120) -> list[str]:
    """Return `count` texts of the chain."""
    rng = random.Random(seed)
    return [_text(follows, rng, longest) for _ in range(count)]


def _text(follows: Chain, rng: random.Random, longest: int) -> str:
    words: list[str] = []
    state = _START
    while len(words) < longest and (word := rng.choice(follows[state])):
        words.append(word)
        state = (state[1], word)
    return _joined(words)


def _words(text: str) -> list[str]:
    return [piece for piece in _PIECE.findall(text) if piece == "\n" or not piece.isspace()]


def _joined(words: Sequence[str]) -> str:
    text = ""
    for word in words:
        glued = not text or word == "\n" or text.endswith("\n") or is_cjk(word) or is_cjk(text[-1])
        text += word if glued else f" {word}"
    return text
