"""Passages: windows of a few turns, into which conversations are cut to be remembered. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise
from typing import NamedTuple

from msgspec.structs import replace

from persona.markers import says_words
from persona.transcript import Conversation, Excerpt, Turn
from persona.word_tokens import end_of_words, word_tokens

MAX_TURNS, MAX_WORDS = 6, 60  # of a passage: three of them are about 300 tokens


@dataclass(frozen=True, slots=True)
class Passage:
    """A few turns of a conversation.

    scene, year: as of a Conversation. began, ended: when its first and last turn were said, UTC seconds, None if unknown.
    conversation: the id of the conversation. dm: the key of the other person in a DM, "" elsewhere.
    """

    turns: tuple[Turn, ...]
    scene: str
    year: int | None = None
    began: float | None = None
    ended: float | None = None
    conversation: str = ""
    dm: str = ""

    @property
    def excerpt(self) -> Excerpt:
        """Return it as it stands in a prompt."""
        return Excerpt(self.turns, self.year)


class _Piece(NamedTuple):
    """A turn, or as much of a long one as a passage holds."""

    turn: Turn
    at: float | None
    words: int


def passages_of(
    conversation: Conversation, timestamps: Sequence[float | None] = (), *, id: str = "", dm: str = ""
) -> Iterator[Passage]:
    """Yield the passages of a conversation in order. Turns without words, and quotes of what was said elsewhere, are left
    out.

    timestamps: when each turn was said; none if unknown. id, dm: as of a Passage.
    """
    times = timestamps or [None] * len(conversation.turns)
    quotes = any(turn.quote for turn in conversation.turns)
    said = [" ".join(" ".join(turn.lines).split()) for turn in conversation.turns] if quotes else []
    pieces = [
        piece
        for turn, at in zip(conversation.turns, times, strict=True)
        if says_words(turn)
        for piece in _pieces(_with_own_quote(turn, said), at)
    ]
    for window in _windows(pieces):
        dated = [piece.at for piece in window if piece.at is not None]
        began, ended = (dated[0], dated[-1]) if dated else (None, None)
        year = conversation.year if began is None else datetime.fromtimestamp(began, UTC).year
        turns = tuple(piece.turn for piece in window)
        yield Passage(turns, conversation.scene, year, began, ended, id, dm)


def _with_own_quote(turn: Turn, said: Sequence[str]) -> Turn:
    """Return the turn without a quote of another conversation, which may be one that must not be remembered."""
    if turn.quote is None or any(text.startswith(turn.quote.words.removesuffix("…")) for text in said):
        return turn
    return replace(turn, quote=None)


def _pieces(turn: Turn, at: float | None) -> Iterator[_Piece]:
    """Cut a turn between its lines, and a long line between its words, into pieces of at most MAX_WORDS."""
    total = sum(map(_count_words, turn.lines))
    if total <= MAX_WORDS:
        yield _Piece(turn, at, total)
        return
    lines: list[str] = []
    count, quote = 0, turn.quote
    for line in chain.from_iterable(map(_parts, turn.lines)):
        words = _count_words(line)
        if lines and count + words > MAX_WORDS:
            yield _Piece(Turn(turn.speaker, tuple(lines), quote), at, count)
            lines, count, quote = [], 0, None
        lines.append(line)
        count += words
    yield _Piece(Turn(turn.speaker, tuple(lines), quote), at, count)


def _count_words(line: str) -> int:
    return len(word_tokens(line))


def _parts(line: str) -> Iterator[str]:
    if _count_words(line) <= MAX_WORDS:
        yield line
        return
    while (end := end_of_words(line, MAX_WORDS)) < len(line):
        yield line[:end]
        line = line[end:]
    yield line


def _windows(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Return the pieces in windows; the last one is not a single turn if the one before can give one away."""
    windows: list[list[_Piece]] = []
    words = 0
    for piece in pieces:
        if not windows or len(windows[-1]) == MAX_TURNS or words + piece.words > MAX_WORDS:
            windows.append([])
            words = 0
        windows[-1].append(piece)
        words += piece.words
    for window, following in pairwise(windows[-2:]):
        if len(following) == 1 and len(window) > 2:
            following.insert(0, window.pop())
    return windows
