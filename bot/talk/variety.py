"""Whether tweets stay as varied as the person's. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from persona.openings import Opening, expected_openings, opening_of
from persona.repeats import NearIndex, bare_text, expected_repeats

RECENT = 20  # tweets, none of which is nearly said again: readers still have them before them
REMEMBERED = 50  # tweets, none of which is said again word for word


class Variety:
    """What was tweeted, oldest first, against what the seal knows of the person's tweets; without that nothing begins too
    often, and nothing is nearly said again. sealed: a seal's `data`."""

    def __init__(self, sealed: Mapping[str, Any], tweeted: Iterable[str] = ()) -> None:
        self._neighbours: Mapping[str, int] = sealed.get("tweet_neighbours", {})
        self._multiplicities: Mapping[str, int] = sealed.get("tweet_openings", {})
        self._bare: list[str] = []
        self._index = NearIndex()
        self._repeats = 0
        self._openings: set[Opening] = set()
        for text in tweeted:
            self.add(text)

    def add(self, text: str) -> None:
        """Note what is tweeted."""
        self._repeats += bool(self._index.near(text))
        self._index.add(text)
        self._bare.append(bare_text(text))
        self._openings.add(opening_of(text))

    def rejection(self, text: str) -> str:
        """Return why it makes the tweets less varied than the person's, in a word that is counted; "" if it doesn't.

        repeated: it is one of the last but for case and punctuation, or nearly one of the very last, or nearly any of them while
        so many of the person's repeat each other less. opening: it begins like one of them, and theirs begin more differently."""
        if bare_text(text) in self._bare[-REMEMBERED:] or self._repeats_too_often(text):
            return "repeated"
        return "opening" if self._begins_too_often(opening_of(text)) else ""

    def _repeats_too_often(self, text: str) -> bool:
        if not (near := self._index.near(text)):
            return False
        count = len(self._index)
        return near[-1] >= count - RECENT or self._repeats >= expected_repeats(self._neighbours, count + 1)

    def _begins_too_often(self, opening: Opening) -> bool:
        if not (self._multiplicities and opening in self._openings and opening):
            return False
        return len(self._openings) < expected_openings(self._multiplicities, len(self._index) + 1)
