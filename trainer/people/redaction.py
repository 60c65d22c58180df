"""Names of people who did not consent, wherever they stand in a text: replaced by their stand-ins."""

import re
from collections.abc import Iterable, Iterator, Mapping

from persona.names import SOMEONE, normalise
from persona.word_tokens import CJK
from trainer.people.identities import Identity, KnownPerson
from trainer.people.name_finder import NameFinder, holds_cjk, words_of
from trainer.people.word_lists import COMMON

_CJK_RUN = re.compile(rf"[{CJK}]+")
_EDGES = re.compile(r"^\W+|\W+$")  # emoji and ornaments around a name are not what others type


class NamesInText:
    """What each name becomes. Only names that stand in the table of participants are known."""

    def __init__(self, identities: Mapping[str, Identity], people: Mapping[str, KnownPerson]) -> None:
        self._stand_ins: dict[str, str] = {}
        surnames: dict[str, str] = {}
        spared = {
            normalise(call)
            for key, person in people.items()
            if not person.pseudonymous
            for call in names_in_texts(identities[key])
        }
        for key, person in people.items():
            if person.pseudonymous:
                own = (call.lower() for call in names_in_texts(identities[key]) if normalise(call) not in spared)
                last = (name.lower() for name in _surnames(identities[key]) if normalise(name) not in spared)
                self._stand_ins |= dict.fromkeys(own, person.name)
                surnames |= dict.fromkeys(last, person.name)
        self._surnames = surnames.keys() - self._stand_ins.keys()
        self._stand_ins = surnames | self._stand_ins
        self._finder = NameFinder(self._stand_ins)

    def replaced(self, text: str) -> str:
        """`text` with every such name replaced."""
        return self._finder.replaced(text, self._stand_in)

    def _stand_in(self, name: str) -> str:
        folded = name.lower()
        if folded in self._surnames and name[:1].islower():  # "baker" is a trade, "Baker" may be Ms Baker
            return name
        return self._stand_ins.get(folded, SOMEONE.title())


def names_in_texts(identity: Identity) -> set[str]:
    """What others call this identity in texts: its names, their first words, its handle."""
    names = {_EDGES.sub("", name) for name in identity.names} | {identity.handle.lstrip("@")}
    names |= set() if identity.has_id else {identity.name}
    return _telling(names | {words[0] for words in map(words_of, names) if len(words) > 1})


def callable_words(text: str) -> Iterator[str]:
    """What in `text` could be somebody's name, in lower case: its words, and the runs of two to four characters of scripts
    without blanks."""
    yield from (word.lower() for word in words_of(text))
    for run in _CJK_RUN.findall(text):
        yield from (run[start : start + size] for size in (2, 3, 4) for start in range(len(run) - size + 1))


def _surnames(identity: Identity) -> set[str]:
    return _telling(words[-1] for words in map(words_of, identity.names) if len(words) > 1 and not holds_cjk(words[-1]))


def _telling(names: Iterable[str]) -> set[str]:
    """Those that are long enough to be a name and no common word."""
    return {
        name
        for name in names
        if len(name) >= (2 if holds_cjk(name) else 3) and name.lower() not in COMMON and not name.isdecimal()
    }
