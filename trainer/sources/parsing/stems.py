"""Word stems of many languages, looked for in many texts.

A look at how words begin spares most of the search.
"""

import re
from collections.abc import Iterable

_JOINED = "\u0590"  # scripts from here on write articles or whole sentences into one word
_WORDS = re.compile(r"\W+")
_LOOK = 3  # letters of a word that are looked at


class Stems:
    """A search for any of some stems.

    A `|` in a stem stands for an ending and a blank or a hyphen.
    """

    def __init__(self, stems: Iterable[str]) -> None:
        every = list(dict.fromkeys(stems))
        apart = [stem for stem in every if stem[0] < _JOINED]
        self._starts: dict[str, tuple[str, ...]] = {}
        for stem in apart:
            first = re.split(r"[\W]", stem.casefold())[0]
            self._starts[first[:_LOOK]] = (*self._starts.get(first[:_LOOK], ()), first)
        self._apart = re.compile(rf"(?<!\w)(?:{'|'.join(map(_escaped, apart)) or '(?!)'})", re.IGNORECASE)
        inside = "|".join(_escaped(stem) for stem in every if stem[0] >= _JOINED)
        self._inside = re.compile(inside or "(?!)", re.IGNORECASE)

    def may_occur(self, text: str) -> bool:
        """Return whether a word of `text` begins as a stem does."""
        if not text.isascii() and max(text) >= _JOINED:
            return True
        starts = self._starts
        for word in _WORDS.split(text.casefold()):
            if (stems := starts.get(word[:_LOOK]) or starts.get(word[:2])) and word.startswith(stems):
                return True
        return False

    def search(self, text: str) -> "re.Match[str] | None":
        """Return the first stem in `text`; None if there is none."""
        return (self._apart.search(text) or self._inside.search(text)) if self.may_occur(text) else None

    def sub(self, mark: str, text: str) -> str:
        """Return `text` with `mark` in place of each stem and what is left of its word."""
        if not self.search(text):
            return text
        return self._inside.sub(mark, self._apart.sub(mark, text))


def one_of(stems: Iterable[str]) -> str:
    """Return a pattern for any of these stems, at the beginning of a word.

    Scripts that do not part words have stems anywhere.
    """
    return "|".join(("" if stem[0] >= _JOINED else r"(?<!\w)") + _escaped(stem) for stem in stems)


def _escaped(stem: str) -> str:
    return re.escape(stem).replace(r"\|", r"\w{0,4}[ -](?:\w{1,3} )?")
