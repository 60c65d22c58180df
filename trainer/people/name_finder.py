"""Finds names in texts, as words and in any case. A name of a script without blanks between words may stand anywhere."""

import re
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from persona.word_tokens import CJK, MARKS
from trainer.people.text_scan import DROPPED, LETTER, SEPARATOR, CharacterClasses, TextScan

_WORD = re.compile(rf"[^\W{CJK}]+(?:[{MARKS}]+[^\W{CJK}]*)*")  # in 昨天Zelda来了 the name is a word


def _word_class(char: str) -> int:
    """Return what a character is to `_WORD`; without marks, which only make words longer."""
    return DROPPED if char in MARKS else LETTER if _WORD.fullmatch(char) else SEPARATOR


_CLASSES = CharacterClasses(_word_class)


class NameFinder:
    """The names it was made of. Texts are scanned once, whatever the number of names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_word: dict[str, list[str]] = {}
        self._by_letter: dict[str, list[str]] = {}
        for name in sorted({name.lower() for name in names}, key=len, reverse=True):
            first = _WORD.match(name)
            if holds_cjk(name) or not first:
                self._by_letter.setdefault(name[0], []).append(name)
            else:
                self._by_word.setdefault(first[0], []).append(name)
        letters = self._by_letter.keys()
        self._letters = CharacterClasses(lambda char: char in letters)
        self._words = np.unique(TextScan(list(self._by_word)).words(_CLASSES).hashes)

    def replaced(self, text: str, stand_in: Callable[[str, int, int], str | None]) -> str:
        """Return `text` with its names replaced; where names overlap the first counts, then the longest.

        stand_in: given the text, start and end of a name; None to leave it.
        """
        pieces: list[str] = []
        done = 0
        for start, end in self.spans(text):
            if start >= done and (instead := stand_in(text, start, end)) is not None:
                is_number = text[start].isdecimal() and text[:start].endswith("+")  # a phone number for a name
                pieces += (text[done : start - is_number], instead)
                done = end
        return "".join((*pieces, text[done:])) if pieces else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where names stand in `text`, in order, the longest of those that begin together first."""
        if not self._may_be_in(text):
            return []
        return sorted(self._spans(text), key=lambda span: (span[0], -span[1]))

    def may_stand_in(self, scan: TextScan) -> np.ndarray:
        """Return whether a name could begin anywhere in each text of a scan (folded to lower case)."""
        words = scan.words(_CLASSES)
        may = np.zeros(len(words.counts), np.bool_)
        may[words.texts()[np.isin(words.hashes, self._words)]] = True
        return may | scan.holding(self._letters) if self._by_letter else may

    def _may_be_in(self, text: str) -> bool:
        """Return whether a name could begin anywhere: most texts hold none, and that is quicker to see."""
        folded = text.lower()
        if not self._by_word.keys().isdisjoint(_WORD.findall(folded)):
            return True
        return not text.isascii() and not self._by_letter.keys().isdisjoint(folded)

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for word in _WORD.finditer(text):
            for name in self._by_word.get(word[0].lower(), ()):
                end = word.start() + len(name)
                if text[word.start() : end].lower() == name and not _WORD.match(text, end):
                    yield word.start(), end
        if self._by_letter and not text.isascii():
            folded = text.lower()
            for start, letter in enumerate(folded) if len(folded) == len(text) else ():
                yield from (
                    (start, start + len(name))
                    for name in self._by_letter.get(letter, ())
                    if folded.startswith(name, start)
                )


def words_of(text: str) -> list[str]:
    """Return the words of `text`; what stands between scripts without blanks is one too."""
    return _WORD.findall(text)


def holds_cjk(text: str) -> bool:
    """Return whether `text` holds letters of a script without blanks between words."""
    return any(char > "\u2e7f" and char.isalpha() for char in text)
