"""Which words are names: by how often the corpus's languages use them, and by given names of many locales.

A word that a language uses stays a word ("don't", "cool", "will"), unless it is a given name that all languages use about
equally often ("tom", "lisa"): ordinary words are at home in one language, names travel.
"""

import importlib
import math
import pkgutil
from collections.abc import Collection
from functools import cache, lru_cache
from typing import Literal

from trainer.people.name_finder import holds_cjk
from trainer.people.text_language import surely_in
from trainer.people.word_lists import ALWAYS_CAPITAL, GIVEN_WORDS, NOTHING_BUT_NAMES

# any_case: "zelda" and "Zelda". capital: "Quist" alone. proper: "Rose", where no sentence begins. at: "@cool" alone.
NameMatch = Literal["any_case", "capital", "proper", "at"]

MIN_ZIPF = 3.0  # once in a million words; rarer words do little harm, and wordfreq's small lists end here
MIN_ZIPF_ALONE = 4.5  # of a given name in a language that can't be compared with others of its script
MIN_ZIPF_CJK = 3.5
NAMES_TRAVEL = 0.5  # a name's frequency in one language is at most 10 ** .5 of that in its relatives
UNLISTED = 2.5  # zipf; what is taken for words below the end of a list
MIN_TEXT_CHARS = 16  # characters; of a shorter text nothing tells the language
_RELATIVES = (  # languages of one script, whose frequencies are compared
    ("en", "de", "es", "fr", "it", "nl", "pl", "pt", "sv", "tr", "fi", "cs"),
    ("ru", "uk", "bg", "mk"),
    ("ar", "fa", "ur"),
)
_NOUNS_CAPITAL = frozenset({"de"})  # languages in which a capital tells no name from a noun
_CJK_LANGUAGES = ("zh", "ja", "ko")


class NameLexicon:
    """Tells names from words. languages: ISO 639-1 codes of those spoken in the corpus; English is always added."""

    def __init__(self, languages: Collection[str] = ()) -> None:
        self._languages = tuple(dict.fromkeys((*languages, "en")))
        self._words: dict[str, bool] = {}

    def is_word(self, word: str) -> bool:
        """Return whether people use `word` for other things than a person. word: in lower case."""
        if (known := self._words.get(word)) is None:
            known = self._words[word] = self._is_word(word)
        return known

    def is_name(self, word: str) -> bool:
        """Return whether a person may be called `word`: no word of the language, or a given name all the same."""
        return not self.is_word(word) or any(word in given for given in GIVEN_WORDS.values())

    def match_of(self, word: str) -> NameMatch:
        """Return how `word`, in lower case, has to be written to mean a person of that name."""
        if holds_cjk(word):
            return "at" if len(word) < 2 or self.is_word(word) else "any_case"
        if len(word) < 2 or word in ALWAYS_CAPITAL:
            return "at"
        if self.is_word(word):
            noun = not _is_given_alone(word) and any(
                _is_ordinary(word, language) for language in _NOUNS_CAPITAL.intersection(self._languages)
            )
            return "at" if noun or word.upper() == word else "proper"
        return "any_case" if len(word) > 2 or word.upper() == word else "capital"

    def is_foreign_word(self, word: str, text: str) -> bool:
        """Return whether `word`, no word of the corpus's languages, is one of another that `text` is in: "uma rosa" among
        English messages."""
        if len(text) < MIN_TEXT_CHARS or (elsewhere := self._foreign_languages(word)) == frozenset():
            return False
        return surely_in(text, elsewhere)

    @lru_cache(1 << 12)  # noqa: B019 (one lexicon an import)
    def _foreign_languages(self, word: str) -> frozenset[str]:
        """Return the languages, besides the corpus's, in which `word` is more than a name."""
        if word in NOTHING_BUT_NAMES:
            return frozenset()
        known = {*GIVEN_WORDS, *(language for group in _RELATIVES for language in group)} - {*self._languages}
        return frozenset(
            language for language in known if word in GIVEN_WORDS.get(language, ()) or _is_ordinary(word, language)
        )

    def may_be_promoted(self, word: str) -> bool:
        """Return whether a word may turn out to be a name in any case, by how a corpus writes it."""
        nouns = _NOUNS_CAPITAL.intersection(self._languages)
        return not (nouns or holds_cjk(word) or any(word in given for given in GIVEN_WORDS.values()))

    def _is_word(self, word: str) -> bool:
        if word in NOTHING_BUT_NAMES:
            return False
        if holds_cjk(word):
            return any(_zipf(word, language) >= MIN_ZIPF_CJK for language in _CJK_LANGUAGES)
        return any(
            word in GIVEN_WORDS.get(language, ()) or _is_ordinary(word, language) for language in self._languages
        )


def _is_given_alone(word: str) -> bool:
    """Return whether `word` is a given name and no noun as well: "lukas" is frequent in German, but means a person."""
    return word in given_names() and not any(word in given for given in GIVEN_WORDS.values())


def _is_ordinary(word: str, language: str) -> bool:
    """Return whether a language uses `word` as more than a name."""
    zipf = _zipf(word, language)
    if zipf < MIN_ZIPF or word not in given_names():
        return zipf >= MIN_ZIPF
    relatives = next((group for group in _RELATIVES if language in group), ())
    others = sorted((_zipf(word, other) for other in relatives if other != language), reverse=True)
    return zipf - others[len(others) // 3] >= NAMES_TRAVEL if others else zipf >= MIN_ZIPF_ALONE


@lru_cache(1 << 16)
def _zipf(word: str, language: str) -> float:
    """Return the base-10 logarithm of how often `word` is said in a billion words; `UNLISTED` if that is not known."""
    frequency = _frequencies(language).get(word, 0.0)
    return math.log10(frequency) + 9 if frequency else UNLISTED


@cache
def _frequencies(language: str) -> dict[str, float]:
    import wordfreq

    if language not in wordfreq.available_languages("small"):
        return {}
    frequencies: dict[str, float] = wordfreq.get_frequency_dict(language, wordlist="small")
    return frequencies


@cache
def given_names() -> frozenset[str]:
    """Return given names of all of Faker's locales, in lower case; ordinary words are among them ("said" is one)."""
    from faker.providers import person

    names: set[str] = set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            values = getattr(provider, attribute) if attribute.startswith("first_name") else None
            if isinstance(values, tuple | list | dict):
                names.update(name.lower() for name in values if isinstance(name, str))
    return frozenset(names)
