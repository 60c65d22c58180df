"""Stand-in names for people who did not consent: the same one for the same person in every import."""

import hashlib
from collections.abc import Collection

from persona.names import normalise, skeleton
from trainer.people.word_lists import COLOURS, FORMER_PSEUDONYMS, PSEUDONYMS


class Pseudonyms:
    """The names that are still free. taken: speaker keys no stand-in may look like."""

    def __init__(self, taken: Collection[str]) -> None:
        self._used = {skeleton(key) for key in taken}
        self._tier = 0  # HERON; then GREY HERON; then HERON 2, HERON 3, …

    def take(self, key: str) -> str:
        """Return a free name, drawn by the hash of an identity key: most people keep theirs even when a corpus is made
        anew."""
        while not (free := self._free(key)):
            self._tier += 1
        self._used.add(skeleton(free))
        return free

    def keep(self, name: str) -> str:
        """`name`, if it is a free stand-in itself: what alterego exported has them already. Else empty."""
        key = normalise(name)
        bird = key.rpartition(" ")[2]
        known = bird in (*PSEUDONYMS, *FORMER_PSEUDONYMS)
        if not known or key not in (bird, *(f"{colour} {bird}" for colour in COLOURS)) or skeleton(key) in self._used:
            return ""
        self._used.add(skeleton(key))
        return key

    def _free(self, key: str) -> str:
        """Return the first free name of this tier from where the key's hash points; empty if all are taken."""
        names = _tier(self._tier)
        start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4])
        turned = (names[(start + step) % len(names)] for step in range(len(names)))
        return next((name for name in turned if skeleton(name) not in self._used), "")


def _tier(number: int) -> list[str]:
    if number == 0:
        return list(PSEUDONYMS)
    if number == 1:
        return [f"{colour} {name}" for colour in COLOURS for name in PSEUDONYMS]
    return [f"{name} {number}" for name in PSEUDONYMS]
