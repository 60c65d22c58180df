"""The first lines of WhatsApp's messages, in the one notation of a file."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from trainer.sources.parsing.local_dates import WrittenTime, written_time
from trainer.sources.parsing.participants import SpeakerPrefixes

MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\ufeff"
_LONGEST_STAMP = 64
_BEGINNINGS = "[令平民RH㋿㍻"  # of a header besides digits: brackets and eras
_MIN_HEADERS = 3  # with unknown words in their dates, before those are of the file's language


class Header(NamedTuple):
    """A line that begins a message.

    said: name and text, or what WhatsApp itself says. shape: the notation.
    """

    stamp: WrittenTime
    said: str
    shape: str


def parse_header(line: str) -> Header | None:
    bare = line.lstrip(MARKS)
    if not bare or not (bare[0].isdecimal() or bare[0] in _BEGINNINGS):
        return None
    if bare[0] == "[":
        end = bare.find("]", 0, _LONGEST_STAMP)
        stamp = written_time(bare[1:end]) if end > 0 else None
        said = _said(bare[end + 1 :].lstrip(" " + MARKS[1:]))
        return Header(stamp, said, f"[{stamp.shape}") if stamp else None
    for dash in (" - ", " – ", ": "):
        end = bare.find(dash, 0, _LONGEST_STAMP)
        if end > 0 and (stamp := written_time(bare[:end])) and not (stamp.words and dash == ": "):  # they are a name
            return Header(stamp, _said(bare[end + len(dash) :].lstrip(MARKS[1:])), f"{dash}{stamp.shape}")
    return None


def _said(text: str) -> str:
    """Return what stands after the time, with the blank that an editor may cut."""
    return f"{text} " if text.endswith(":") and ": " not in text else text


@dataclass(slots=True)
class Notation:
    """Headers of one shape and the same words in it.

    first, last: their numbers among all headers.
    """

    shape: str
    words: str
    first: int
    last: int = 0
    count: int = 0
    speakers: SpeakerPrefixes = field(default_factory=lambda: SpeakerPrefixes(": ", words=2))
    forward: set[str] = field(default_factory=set)  # who speaks where time doesn't run back


def choose_notations(notations: "Iterable[Notation]") -> list[Notation]:
    """Return the notations that headers have; others are lists of dates in messages.

    They are those of the most headers, and a second that does not stand between them, as in exports put together.
    """
    ranked = sorted(notations, key=lambda notation: -notation.count)
    chosen: list[Notation] = []
    for notation in ranked:
        same = [other for other in chosen if other.shape == notation.shape]
        if same and notation.count < _MIN_HEADERS:
            continue
        apart = all(notation.last < other.first or notation.first > other.last for other in chosen)
        if same or not chosen or (apart and notation.count * 5 >= ranked[0].count):
            chosen.append(notation)
    return chosen


def first_name(said: str) -> str:
    return said.partition(": ")[0]
