"""Conversations to be remembered, and an archive of them."""

from collections.abc import Iterable
from pathlib import Path

from persona.archive.index import FILE, Archive, build
from persona.archive.indexed_passage import IndexedPassage
from persona.archive.passages import Passage, passages_of
from persona.transcript import Conversation, Turn

DAY = 86400.0


def talk(text: str, *, id: str, day: float | None = None, dm: str = "") -> list[Passage]:
    """The passages of a conversation given as "ALICE: words" a line. day: when, each turn a second after the other."""
    turns = tuple(Turn(line.split(": ", 1)[0], (line.split(": ", 1)[1],)) for line in text.strip().splitlines())
    times = [None if day is None else day * DAY + number for number in range(len(turns))]
    return list(passages_of(Conversation("dm" if dm else "group", turns, 2019), times, id=id, dm=dm))


def archive(folder: Path, *conversations: Iterable[Passage]) -> Archive:
    """An archive of these passages, in this order."""
    build(folder / FILE, [passage for passages in conversations for passage in passages])
    return Archive.open(folder / FILE)


def indexed(passages: Iterable[Passage]) -> list[IndexedPassage]:
    """With their terms."""
    return [*map(IndexedPassage.of, passages)]


def about(text: str) -> tuple[Turn, ...]:
    """Somebody says this last."""
    return (Turn("JONAS", (text,)),)
