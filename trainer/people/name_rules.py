"""How somebody is called in texts, and whether a place in a text calls them. Pure.

Of a display name counts the whole, the first word that is a name ("Mike" of "Hey Its Mike"), and the words behind it as
surnames: "baker" is a trade, "Baker" may be Ms Baker.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from persona.word_tokens import CJK, MARKS
from trainer.people.identities import Identity
from trainer.people.name_finder import holds_cjk, words_of
from trainer.people.name_lexicon import NameLexicon, NameMatch, given_names
from trainer.people.word_lists import NEVER_NAMES, PARTICLES

_EDGES = re.compile(rf"^\W+|(?:(?![{MARKS}])\W)+$")  # emoji and ornaments around a name are not what others type
_CJK_RUN = re.compile(rf"[{CJK}]+")
_ENDING = re.compile(r"['’ʼ`´]([^\W\d_]+)")
_CONTRACTIONS = frozenset({"ll", "d", "ve", "re", "m"})  # "will", "had", "have": endings of words, and of names
# Endings that Turkish sets off by an apostrophe, and from names alone: Deniz'in is Deniz's, denizin is the sea's.
_NAME_ENDING = re.compile(
    r"['’ʼ`´](?:n?[ıiuü]n|[yn]?[ıiuü]|[yn]?[ae]|n?[dt][ae]n?|y?l[ae]|l[ae]r\w*|s[ıiuü]z|c[ae]|[dt][ıiuü]r|k[ıi])(?!\w)"
)
_OPENING = " \t*_~\"'“”„‘’«»()[]{}<>-–—•"
_SENTENCE_ENDS = frozenset(".!?…:;\n。！？¡¿")
_STRICTNESS: Sequence[NameMatch] = ("at", "proper", "capital", "any_case")


def name_matches(identity: Identity, lexicon: NameLexicon) -> dict[str, NameMatch]:
    """Return what others call somebody in texts, in lower case, each with how it has to be written."""
    matches: dict[str, NameMatch] = {}
    names = [*identity.names] + ([] if identity.has_id else [identity.name])
    calls = [call for name in names for call in _calls_of(name, lexicon)]
    if handle := identity.handle.lstrip("@").lower():
        calls.append((handle, lexicon.match_of(handle)))
    for call, match in calls:
        if call not in NEVER_NAMES and not call.isdecimal():
            matches[call] = laxest(match, matches.get(call, match))
    return matches


def laxest(match: NameMatch, other: NameMatch) -> NameMatch:
    """Return whichever of two lets more through."""
    return max(match, other, key=_STRICTNESS.index)


def callable_words(text: str) -> Iterator[str]:
    """Yield what in `text` could be somebody's name, in lower case.

    Its words, and the runs of two to four characters of scripts without blanks.
    """
    yield from (word.lower() for word in words_of(text))
    for run in _CJK_RUN.findall(text):
        yield from (run[start : start + size] for size in (2, 3, 4) for start in range(len(run) - size + 1))


def calls_somebody(
    text: str, start: int, end: int, match: NameMatch, is_word: Callable[[str], bool], *, opens_sentences: bool = False
) -> bool:
    """Return whether a name at [start, end) of `text` stands for a person.

    match: how it has to be written. opens_sentences: a "proper" name counts where a sentence begins, too.
    """
    if text[start - 1 : start] in ("@", "＠") and start:
        return True
    name = text[start:end]
    if match == "at" or _is_contraction(text, end, is_word(name.lower())):
        return False
    if match == "any_case":
        return True
    if not all(word[0] == word[0].upper() for word in words_of(name)):
        return False
    if match == "capital":
        return not (len(name) > 1 and name.isupper() and text.isupper())
    if len(name) > 1 and name.isupper():
        return False
    return opens_sentences or not _opens_sentence(text, start) or bool(_NAME_ENDING.match(text, end))


def _calls_of(name: str, lexicon: NameLexicon) -> Iterator[tuple[str, NameMatch]]:
    whole, words = _EDGES.sub("", name).lower(), [word.lower() for word in words_of(name)]
    if len(words) < 2:
        yield from ((whole, lexicon.match_of(whole)) for _ in range(bool(whole)))
        return
    if all(word in NEVER_NAMES for word in words):
        return
    yield whole, "proper" if all(map(lexicon.is_word, words)) else "any_case"
    givens = [place for place, word in enumerate(words) if _may_be_given(word, place)]
    sure = (place for place in givens if lexicon.is_name(words[place]))
    listed = (place for place in givens if words[place] in given_names())  # "marco" is a word where Italian is spoken
    if (first := next(sure, next(listed, None))) is None:
        return
    given, surnames = words[first], words[first + 1 :]
    yield given, lexicon.match_of(given)
    if len(surnames) > 1 and lexicon.match_of(given) == "any_case":
        yield f"{given} {surnames[0]}", "any_case"
    for place, surname in enumerate(surnames):
        is_word = lexicon.is_word(surname)
        if len(surname) < 2 or surname in PARTICLES | NEVER_NAMES or (is_word and len(surnames) > 1):
            continue
        if len(surname) > 2 or place == len(surnames) - 1:
            yield surname, lexicon.match_of(surname) if is_word or holds_cjk(surname) else "capital"


def _may_be_given(word: str, place: int) -> bool:
    """Return whether the word at `place` of a display name may be what others call them by; "al" is in "Al Romero"."""
    return len(word) >= 2 and word not in NEVER_NAMES and not (place and word in PARTICLES)


def _is_contraction(text: str, end: int, is_word: bool) -> bool:
    """Return whether an apostrophe makes another word of what ends at `end`: "don't", "we'll"."""
    ending = _ENDING.match(text, end)
    return ending is not None and (ending[1].lower() == "t" or (is_word and ending[1].lower() in _CONTRACTIONS))


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(_OPENING)
    return not before or before[-1] in _SENTENCE_ENDS or unicodedata.category(before[-1]) in ("So", "Sk")
