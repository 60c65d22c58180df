"""Names of people who did not consent, wherever they stand in a text: replaced by their stand-ins."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from persona.names import SOMEONE, normalise
from persona.units import WIDE
from trainer.people import Identity, Person
from trainer.words import COMMON

_WORD = re.compile(rf"[^\W{WIDE}]+")
_LETTER = rf"[^\W{WIDE}]"  # of a script whose words have bounds: in 昨天Zelda来了 the name has them too
_WIDE_RUN = re.compile(rf"[{WIDE}]+")
_EDGES = re.compile(r"^\W+|\W+$")  # emoji and ornaments around a name are not what others type


class NamesInText:
    """What each name becomes. Only names that stand in the table of participants are known."""

    def __init__(self, identities: Mapping[str, Identity], people: Mapping[str, Person]) -> None:
        self._stand_ins: dict[str, str] = {}
        self._surnames: set[str] = set()
        spared = {
            normalise(call)
            for key, person in people.items()
            if not person.pseudonymous
            for call in calls(identities[key])
        }
        for key, person in people.items():
            if person.pseudonymous:
                identity = identities[key]
                surnames = {name.casefold() for name in _surnames(identity) if normalise(name) not in spared}
                self._surnames |= surnames - self._stand_ins.keys()
                self._stand_ins |= dict.fromkeys(surnames, person.name)
                own = {call.casefold() for call in calls(identity) if normalise(call) not in spared}
                self._stand_ins |= dict.fromkeys(own, person.name)
                self._surnames -= own
        # Most texts hold no name: one look at their words, and at their letters of wide scripts, shows it.
        self._by_start: dict[str, list[str]] = {}
        for call in self._stand_ins:
            first = _WORD.search(call)
            start = call[0] if is_wide(call) or not first else first[0]
            self._by_start.setdefault(start, []).append(call)

    def replaced(self, text: str) -> str:
        """`text` with every such name replaced."""
        folded = text.casefold()
        starts = {*_WORD.findall(folded), *(() if text.isascii() else folded)}
        found = [call for start in starts & self._by_start.keys() for call in self._by_start[start]]
        return substituted(text, found, self._stand_in) if found else text

    def _stand_in(self, name: str) -> str:
        folded = name.casefold()
        if folded in self._surnames and name[:1].islower():  # "baker" is a trade, "Baker" may be Ms Baker
            return name
        return self._stand_ins.get(folded, SOMEONE.title())


def calls(identity: Identity) -> set[str]:
    """What others call this identity in texts: its names, their first words, its handle."""
    names = {_EDGES.sub("", name) for name in identity.names} | {identity.handle.lstrip("@")}
    names |= set() if identity.has_id else {identity.name}
    return _telling(names | {words[0] for words in map(_WORD.findall, names) if len(words) > 1})


def _surnames(identity: Identity) -> set[str]:
    return _telling(
        words[-1] for words in map(_WORD.findall, identity.names) if len(words) > 1 and not is_wide(words[-1])
    )


def _telling(names: Iterable[str]) -> set[str]:
    """Those that are long enough to be a name and no common word."""
    return {
        name
        for name in names
        if len(name) >= (2 if is_wide(name) else 3) and name.casefold() not in COMMON and not name.isdecimal()
    }


def callable_words(text: str) -> Iterator[str]:
    """What in `text` could be somebody's name, case-folded: its words, and the runs of two to four characters of scripts
    without blanks."""
    yield from (word.casefold() for word in _WORD.findall(text))
    for run in _WIDE_RUN.findall(text):
        yield from (run[start : start + size] for size in (2, 3, 4) for start in range(len(run) - size + 1))


def substituted(text: str, names: Iterable[str], stand_in: Callable[[str], str]) -> str:
    """`text` with each of `names`, as a word in any case, given to `stand_in`; longer names go first."""
    pattern = "|".join(map(_bounded, sorted(names, key=len, reverse=True)))  # re keeps the last patterns compiled
    return re.sub(pattern, lambda found: stand_in(found[0]), text, flags=re.IGNORECASE)


def _bounded(name: str) -> str:
    """A pattern for `name` as a word; scripts without blanks between words have no such bounds."""
    return re.escape(name) if is_wide(name) else rf"(?<!{_LETTER}){re.escape(name)}(?!{_LETTER})"


def is_wide(text: str) -> bool:
    """Whether `text` holds letters of a script without blanks between words."""
    return any(char > "\u2e7f" and char.isalpha() for char in text)
