"""Participants of a chat whose export names speakers only in front of their texts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection

from trainer.sources.message import ConversationType

MAX_PREFIXES = 100_000  # counted; a text with more of them is not a chat
MIN_SIGHTINGS = 3  # of a longer name before it is believed
_OPEN = {"“": "”", "«": "»", "„": "“”", "「": "」", '"': '"'}


class SpeakerPrefixes:
    """Split `NAME<separator>text` although names may contain the separator.

    A name is extended while every line that begins with it goes on alike.
    Call see() with every line first, then split().
    """

    def __init__(self, separator: str, words: int, longest: int = 60) -> None:
        self._separator = separator
        self._words = words
        self._longest = longest
        self._counts: Counter[str] = Counter()

    def see(self, line: str) -> None:
        """Count the names that `line` may begin with."""
        for prefix in self._prefixes(line):
            if prefix in self._counts or len(self._counts) < MAX_PREFIXES:
                self._counts[prefix] += 1

    def add(self, others: "SpeakerPrefixes") -> None:
        """Count all that another has seen."""
        self._counts.update(others._counts)

    def names(self) -> frozenset[str]:
        """Return all names seen."""
        parents = {prefix: prefix.rpartition(self._separator)[0] for prefix in self._counts}
        longer = {parent for prefix, parent in parents.items() if parent and self._goes_on(parent, prefix)}
        return frozenset(
            prefix for prefix, parent in parents.items() if prefix not in longer and (not parent or parent in longer)
        )

    def split(self, line: str) -> tuple[str, str] | None:
        """Return name and text; None if the line names nobody."""
        prefixes = self._prefixes(line)
        if not prefixes:
            return None
        name = prefixes[0]
        for longer in prefixes[1:]:
            if not self._goes_on(name, longer):
                break
            name = longer
        return name, line[len(name) + len(self._separator) :]

    def _goes_on(self, name: str, longer: str) -> bool:
        """Return whether everything that begins with `name` begins with `longer`."""
        return self._counts[longer] == self._counts[name] >= MIN_SIGHTINGS

    def _prefixes(self, line: str) -> list[str]:
        prefixes: list[str] = []
        at = -1
        while len(prefixes) < self._words:
            at = line.find(self._separator, at + 1, self._longest + len(self._separator))
            if at < 0 or _inside_quotes(line[:at]):
                break
            if at > 0:
                prefixes.append(line[:at])
        return prefixes


def _inside_quotes(text: str) -> bool:
    """Return whether `text` ends inside a quotation: a colon there belongs to a title."""
    for opening, closings in _OPEN.items():
        if opening == '"':
            if text.count(opening) % 2:
                return True
        elif opening in text and not any(closing in text[text.rindex(opening) + 1 :] for closing in closings):
            return True
    return False


def conversation_type(name: str, speakers: Collection[str]) -> ConversationType:
    """Guess dm or group from the speakers; in doubt it is private.

    Two people, one of whom the chat is named after, are a dm; and so is a chat
    that has exactly a speaker's name, whoever is quoted in it.
    """
    if name and any(_bare(name) == _bare(speaker) for speaker in speakers):
        return "dm"
    if len(speakers) > 2:
        return "group"
    return "dm" if not name or len(speakers) < 2 or any(_is_called(name, speaker) for speaker in speakers) else "group"


def conversation_key(name: str, speakers: Collection[str]) -> str:
    """Return a conversation id independent of the path: the name, else the people."""
    return unicodedata.normalize("NFKC", name).strip() or " + ".join(sorted(speakers)[:32])


def _is_called(chat: str, person: str) -> bool:
    """Return whether a chat's title is or contains a person's name."""
    if _bare(chat) == _bare(person):
        return True
    bounds = ("", "") if any(char > "\u2e7f" for char in person) else (r"(?<!\w)", r"(?!\w)")
    return bool(re.search(re.escape(person.casefold()).join(bounds), chat.casefold()))


def _bare(name: str) -> str:
    """Return the letters of a name that survive in file names."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()
