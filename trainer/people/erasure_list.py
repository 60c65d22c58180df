"""Who asked to be forgotten, remembered by keyed hashes alone: enough to know them again, not to say who they are."""

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persona.atomic import write_whole
from persona.config import Settings
from persona.errors import UserError
from persona.names import normalise
from persona.transcript import UNKNOWN
from trainer.people.identities import Identity
from trainer.people.name_finder import NameFinder
from trainer.people.name_lexicon import NameLexicon, NameMatch
from trainer.people.name_rules import callable_words, calls_somebody, name_matches

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ErasureList:
    """The hashes. keys: of identity keys. names: of names and handles, each with the platforms on which ids are known.
    words: of what others call them in texts. receipts: what was removed, and when. people: for each receipt
    the hashes of that person, empty if an older release wrote it."""

    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    keys: frozenset[str] = frozenset()
    names: Mapping[str, Collection[str]] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    receipts: Sequence[Mapping[str, Any]] = ()
    people: Sequence[Mapping[str, Any]] = ()

    def among(self, identities: Mapping[str, Identity]) -> frozenset[str]:
        """Return the keys of those identities that are forgotten: by key, or by name where no id tells two people
        apart."""
        return frozenset(key for key, identity in identities.items() if self._knows(identity))

    def masking(self, texts: Iterable[str], lexicon: NameLexicon) -> Callable[[str], str]:
        """Return what puts […] in place of their names; it knows those that stand in `texts`."""
        if not self.words:
            return str
        words = {word for text in texts for word in callable_words(text)}
        matches = {word: lexicon.match_of(word) for word in words if self._hash(word) in self.words}
        return masked_names(matches, lexicon)

    def adding(
        self, identities: Collection[Identity], receipt: Mapping[str, Any], lexicon: NameLexicon
    ) -> "ErasureList":
        """Return the same with one more person."""
        platforms = sorted({identity.platform for identity in identities if identity.has_id})
        names = {
            self._hash(name): platforms for identity in identities for name in map(normalise, _names(identity)) if name
        }
        keys = {self._hash(identity.key) for identity in identities}
        words = {self._hash(call) for identity in identities for call in name_matches(identity, lexicon)}
        hashes = {"keys": sorted(keys), "names": names, "words": sorted(words)}
        return ErasureList(
            self.salt,
            self.keys | keys,
            {**self.names, **names},
            self.words | words,
            (*self.receipts, receipt),
            (*self.people, hashes),
        )

    def removing(self, name: str) -> tuple["ErasureList", Mapping[str, Any]]:
        """Return the list without the person called `name` (a name, handle or identity key), and the receipt of their
        erasure. Raises UserError if nobody or several people on it are called so."""
        asked = {self._hash(normalise(name)), self._hash(name)}
        places = [place for place, hashes in enumerate(self.people) if asked & _called(hashes)]
        if len(places) > 1:
            raise UserError(
                f"{len(places)} people called {name!r} were forgotten; name the id of one, as in discord:1234"
            )
        if not places:
            raise UserError(_not_listed(name, older=not all(self.people)))
        gone, kept = self.people[places[0]], [*self.people[: places[0]], *self.people[places[0] + 1 :]]
        named = {digest: platforms for hashes in kept for digest, platforms in hashes.get("names", {}).items()}
        return (
            ErasureList(
                self.salt,
                self.keys - (set(gone["keys"]) - _all(kept, "keys")),
                {digest: platforms for digest, platforms in self.names.items() if digest not in gone["names"]} | named,
                self.words - (set(gone["words"]) - _all(kept, "words")),
                [receipt for place, receipt in enumerate(self.receipts) if place != places[0]],
                kept,
            ),
            self.receipts[places[0]],
        )

    def _knows(self, identity: Identity) -> bool:
        if self._hash(identity.key) in self.keys:
            return True
        alike = [
            self.names[digest] for name in _names(identity) if (digest := self._hash(normalise(name))) in self.names
        ]
        return any(not identity.has_id or identity.platform not in platforms for platforms in alike)

    def _hash(self, text: str) -> str:
        return hashlib.blake2b(text.encode(), key=bytes.fromhex(self.salt), digest_size=12).hexdigest()


def masked_names(matches: Mapping[str, NameMatch], lexicon: NameLexicon) -> Callable[[str], str]:
    """Return what puts […] in place of names. matches: names in lower case, with how each has to be written."""
    finder = NameFinder(matches)

    def mask(text: str, start: int, end: int) -> str | None:
        match = matches[text[start:end].lower()]
        return UNKNOWN if calls_somebody(text, start, end, match, lexicon.is_word) else None

    return lambda text: finder.replaced(text, mask)


def load_erasure_list(settings: Settings) -> ErasureList:
    """Return the erasure list; an empty one if there is no file yet."""
    path = _path(settings)
    if not path.exists():
        return ErasureList()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return ErasureList(
            str(content["salt"]),
            frozenset(content["keys"]),
            content["names"],
            frozenset(content["words"]),
            content["receipts"],
            content.get("people") or [{} for _ in content["receipts"]],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} can't be read ({error}); bring it back from a backup: without it people who asked to be forgotten "
            "would come back with the next import"
        ) from error


def save_erasure_list(erasure_list: ErasureList, settings: Settings) -> Path:
    """Write it, whole or not at all. Returns where."""
    path = _path(settings)
    content = {
        "format": FORMAT,
        "salt": erasure_list.salt,
        "keys": sorted(erasure_list.keys),
        "names": dict(erasure_list.names),
        "words": sorted(erasure_list.words),
        "receipts": list(erasure_list.receipts),
        "people": list(erasure_list.people),
    }
    write_whole(path, [json.dumps(content, ensure_ascii=False, indent=1)])
    return path


def _all(people: Iterable[Mapping[str, Any]], kind: str) -> set[str]:
    """Return the hashes of one kind of all these people."""
    return {digest for hashes in people for digest in hashes.get(kind, ())}


def _called(hashes: Mapping[str, Any]) -> set[str]:
    """Return the hashes by which somebody can be asked for."""
    return {*hashes.get("keys", ()), *hashes.get("names", ())}


def _not_listed(name: str, older: bool) -> str:
    note = (
        "; of those forgotten by a release before 'forget --undo' it isn't known which hashes are theirs"
        if older
        else ""
    )
    return f"nobody called {name!r} was forgotten here{note}"


def _names(identity: Identity) -> list[str]:
    return [name for name in (*identity.names, identity.handle) if name] or [identity.name]


def _path(settings: Settings) -> Path:
    """Beside the corpus: it outlives `import --fresh` and a corpus that is removed."""
    return settings.corpus.with_name(f"{settings.corpus.name}-forgotten.json")
