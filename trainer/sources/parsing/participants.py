"""Who takes part in a chat, where the export only shows who speaks: names with separators inside, two people or many."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection

_MOST = 100_000  # prefixes counted; a text with more of them is no chat
_ENOUGH = 3  # times a longer name must be seen before it is believed
_OPEN = {"“": "”", "«": "»", "„": "“”", "「": "」", '"': '"'}


class SpeakerPrefixes:
    """Parts `NAME<separator>text` where names may hold the separator: a name is as long as everything that begins with
    it goes on alike. Call see() with every line first, then split()."""

    def __init__(self, separator: str, words: int, longest: int = 60) -> None:
        self._separator = separator
        self._words = words
        self._longest = longest
        self._counts: Counter[str] = Counter()

    def see(self, line: str) -> None:
        """Count the names that `line` may begin with."""
        for prefix in self._prefixes(line):
            if prefix in self._counts or len(self._counts) < _MOST:
                self._counts[prefix] += 1

    def names(self) -> frozenset[str]:
        """All names seen."""
        parents = {prefix: prefix.rpartition(self._separator)[0] for prefix in self._counts}
        longer = {parent for prefix, parent in parents.items() if parent and self._goes_on(parent, prefix)}
        return frozenset(
            prefix for prefix, parent in parents.items() if prefix not in longer and (not parent or parent in longer)
        )

    def split(self, line: str) -> tuple[str, str] | None:
        """Name and text; None where the line names nobody."""
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
        """Whether everything that begins with `name` begins with `longer`."""
        return self._counts[longer] == self._counts[name] >= _ENOUGH

    def _prefixes(self, line: str) -> list[str]:
        found: list[str] = []
        at = -1
        while len(found) < self._words:
            at = line.find(self._separator, at + 1, self._longest + len(self._separator))
            if at < 0 or _inside_quotes(line[:at]):
                break
            if at > 0:
                found.append(line[:at])
        return found


def _inside_quotes(text: str) -> bool:
    """Whether a quotation is begun in `text` and not ended: the colon is inside a title then, not after a name."""
    for opening, closings in _OPEN.items():
        if opening == '"':
            if text.count(opening) % 2:
                return True
        elif opening in text and not any(closing in text[text.rindex(opening) + 1 :] for closing in closings):
            return True
    return False


def conversation_type(name: str, speakers: Collection[str]) -> str:
    """dm or group, where the export does not say: two people, one of whom the chat is called after, are a dm; in doubt
    it is private."""
    if len(speakers) > 2:
        return "group"
    return "dm" if not name or len(speakers) < 2 or any(_is_called(name, one) for one in speakers) else "group"


def conversation_key(name: str, speakers: Collection[str]) -> str:
    """A conversation id that doesn't depend on where the file lies: the chat's name, else the people in it."""
    return unicodedata.normalize("NFKC", name).strip() or " + ".join(sorted(speakers)[:32])


def _is_called(chat: str, person: str) -> bool:
    """Whether a chat bears a person's name, alone or inside words of an unknown language."""
    if _bare(chat) == _bare(person):
        return True
    bounds = ("", "") if any(char > "\u2e7f" for char in person) else (r"(?<!\w)", r"(?!\w)")
    return bool(re.search(re.escape(person.casefold()).join(bounds), chat.casefold()))


def _bare(name: str) -> str:
    """A name as file names keep it."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()
