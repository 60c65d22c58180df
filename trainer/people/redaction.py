"""Names of people who did not consent, wherever they stand in a text: replaced by their stand-ins."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from persona.names import normalise
from trainer.people.identities import Identity, KnownPerson
from trainer.people.name_finder import NameFinder
from trainer.people.name_lexicon import NameLexicon, NameMatch
from trainer.people.name_rules import calls_somebody, laxest, name_matches
from trainer.people.text_scan import TextScan, chunks

MIN_USES = 5  # as a word in lower case, before the corpus knows it as one
STRANGERS_SHARE = 0.3  # of how often it is said where its bearer speaks: more than that among strangers is a word
OWN_SHARE = 0.5  # people seldom call themselves: who says it half as often as others do says a word


class MessageLike(Protocol):
    """A message, as far as names in it matter. sender: an identity key."""

    @property
    def platform(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def all_lines(self) -> tuple[str, ...]: ...


Channel = tuple[str, str]  # platform and channel


@dataclass(slots=True)
class _Call:
    """What somebody is called. bearers: speaker key -> stand-in, of all who are called so. stand_in: of whom it means where
    none of them speaks. opens_sentences: a capital at a sentence's beginning tells, too."""

    match: NameMatch
    stand_in: str
    bearers: dict[str, str]
    opens_sentences: bool = False


class NamesInText:
    """What each name becomes. Only names that stand in the table of participants are known.

    counts: how often each was replaced, in lower case.
    """

    def __init__(
        self, identities: Mapping[str, Identity], people: Mapping[str, KnownPerson], lexicon: NameLexicon
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._people = people
        self._lexicon = lexicon
        self._calls: dict[str, _Call] = {}
        spared = {
            normalise(call)
            for key, person in people.items()
            if not person.pseudonymous
            for call in name_matches(identities[key], lexicon)
        }
        for key, person in people.items():
            for call, match in name_matches(identities[key], lexicon).items() if person.pseudonymous else ():
                if normalise(call) not in spared:
                    known = self._calls.setdefault(call, _Call(match, person.name, {}))
                    known.bearers[person.key] = person.name
                    if laxest(match, known.match) == match:
                        known.match, known.stand_in = match, person.name
        self._finder = NameFinder(self._calls)
        self._channels: Mapping[str, Collection[Channel]] = {}
        self._here: Channel | None = None

    def learn(
        self, rows: Sequence[MessageLike], on_scan: Callable[[slice, TextScan], None] = lambda *_: None
    ) -> bytearray:
        """Learn from a corpus which of the names are words in it; returns 1 for each row that holds one, else 0.

        on_scan: called with the scan of each slice of the rows, in order, for what else is to be looked for.
        """
        holding = bytearray(len(rows))
        uses = _Uses(rows, self._people)
        for place in self._worth_reading(rows, on_scan):
            row = rows[place]
            for text in row.all_lines:
                for start, end in self._finder.spans(text):
                    holding[place] = 1
                    call = self._calls[text[start:end].lower()]
                    uses.add(row, text, start, end, call.bearers)
        self._channels = uses.channels
        for name, call in self._calls.items():
            if call.match == "any_case" and uses.is_word(name, call.bearers):
                call.match = "proper" if name.upper() != name else "at"
            elif call.match == "proper" and uses.is_name(name) and self._lexicon.may_be_promoted(name):
                call.match = "any_case"
            call.opens_sentences = uses.capital[name] > uses.lower[name]
        return holding

    def _worth_reading(self, rows: Sequence[MessageLike], on_scan: Callable[[slice, TextScan], None]) -> Iterator[int]:
        """Yield the places of rows in which a name may stand: most hold none, and that is quicker to see."""
        for chunk in chunks(len(rows)):
            scan = TextScan(["\n".join(row.all_lines) for row in rows[chunk]])
            on_scan(chunk, scan)
            yield from (chunk.start + np.flatnonzero(self._finder.may_stand_in(scan))).tolist()

    def replaced(self, text: str, here: Channel | None = None) -> str:
        """Return `text` with every such name replaced. here: where it is said; of two people of one name, the one who speaks
        there is meant."""
        self._here = here
        return self._finder.replaced(text, self._stand_in)

    def _stand_in(self, text: str, start: int, end: int) -> str | None:
        name = text[start:end].lower()
        call = self._calls[name]
        if not calls_somebody(
            text, start, end, call.match, self._lexicon.is_word, opens_sentences=call.opens_sentences
        ):
            return None
        if call.match == "any_case" and text[start].islower() and self._is_foreign_word(text, start, name):
            return None
        self.counts[name] += 1
        return call.stand_in if len(call.bearers) == 1 else self._stand_in_here(call)

    def _is_foreign_word(self, text: str, start: int, name: str) -> bool:
        addressed = text[start - 1 : start] in ("@", "＠") and start
        return not addressed and self._lexicon.is_foreign_word(name, text)

    def _stand_in_here(self, call: _Call) -> str:
        """Return the stand-in of the bearer of a name who speaks where it is said."""
        near = (stand_in for person, stand_in in call.bearers.items() if self._here in self._channels.get(person, ()))
        return next(near, call.stand_in)


class _Uses:
    """How names are used in a corpus. lower, capital: how often so written, sentences' beginnings aside."""

    def __init__(self, rows: Iterable[MessageLike], people: Mapping[str, KnownPerson]) -> None:
        self.lower: Counter[str] = Counter()
        self.capital: Counter[str] = Counter()
        self._near: Counter[str] = Counter()  # in lower case, where its bearer speaks
        self._own: Counter[str] = Counter()  # in lower case, by its bearer
        self._people = people
        self._rows: Counter[Channel] = Counter()  # by channel
        self._own_rows: Counter[str] = Counter()  # by speaker
        self.channels: dict[str, set[Channel]] = {}
        for (platform, name, sender), count in Counter((row.platform, row.channel, row.sender) for row in rows).items():
            channel, speaker = (platform, name), people[sender].key
            self._rows[channel] += count
            self._own_rows[speaker] += count
            self.channels.setdefault(speaker, set()).add(channel)
        self._total = self._rows.total()

    def add(self, row: MessageLike, text: str, start: int, end: int, bearers: Collection[str]) -> None:
        """Count one use of a name of `bearers`."""
        name = text[start:end]
        if text[start - 1 : start] == "@" and start:
            return
        if name != name.lower():
            self.capital[name.lower()] += calls_somebody(text, start, end, "proper", lambda _: True)
            return
        if not calls_somebody(text, start, end, "any_case", lambda _: True):
            return
        self.lower[name] += 1
        self._near[name] += any((row.platform, row.channel) in self.channels.get(bearer, ()) for bearer in bearers)
        self._own[name] += self._people[row.sender].key in bearers

    def is_name(self, name: str) -> bool:
        """Return whether a name has a capital in the middle of sentences as often as none."""
        return self.capital[name] >= max(MIN_USES, self.lower[name])

    def is_word(self, name: str, bearers: Collection[str]) -> bool:
        """Return whether strangers to its bearers say a name as often as a word, or its bearers do."""
        near, own = self._near[name], self._own[name]
        far = self.lower[name] - near
        own_rows = sum(self._own_rows[bearer] for bearer in bearers)
        near_rows = sum(
            self._rows[channel] for channel in {at for bearer in bearers for at in self.channels.get(bearer, ())}
        )
        far_rows = self._total - near_rows
        if far >= MIN_USES and far * near_rows >= STRANGERS_SHARE * near * far_rows:
            return True
        return own >= MIN_USES and own * (near_rows - own_rows) >= OWN_SHARE * (near - own) * own_rows
