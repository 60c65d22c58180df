"""A passage with the terms by which it is found. Pure."""

import sys
from typing import NamedTuple

from persona.archive.passages import Passage
from persona.archive.terms import terms_of
from persona.transcript import Conversation, render


class IndexedPassage(NamedTuple):
    """A passage and its terms, in order."""

    passage: Passage
    terms: tuple[str, ...]

    @classmethod
    def of(cls, passage: Passage) -> "IndexedPassage":
        """Return a passage with its terms; equal terms of all passages are one string."""
        return cls(passage, tuple(map(sys.intern, terms_of(searched_text(written(passage))))))


def written(passage: Passage) -> str:
    """Return a passage as it is written down."""
    return render(Conversation(passage.scene, passage.turns, passage.year))


def searched_text(text: str) -> str:
    """Return what a written passage is found by: who spoke, whom they answered, and all words, without the scene."""
    return text.partition("\n\n")[2]
